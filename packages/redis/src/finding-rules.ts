/**
 * Which settings and states of a server put a promise at risk. Pure: from INFO and CONFIG GET to findings.
 *
 * 1. A rule reports only what it can see: if INFO or CONFIG may not be read, the rules that need it are silent, and a
 *    finding names what was not seen.
 * 2. Only the values of the settings below are read: CONFIG also has passwords.
 */

import { shellWord, type Finding } from '@lastgood/core'

/** A finding whose command does not name a server yet: `cli` is `redis-cli` with its options. */
export type Draft = Omit<Finding, 'mend'> & { mend: (cli: string) => string }

/** Names and values, of INFO or of CONFIG GET. */
export type Settings = ReadonlyMap<string, string>

/** The settings that the rules look at. */
export const settingNames = [
  'appendfsync',
  'no-appendfsync-on-rewrite',
  'save',
  'stop-writes-on-bgsave-error',
  'min-replicas-to-write',
  'cluster-require-full-coverage',
] as const

export function addressed({ mend, ...rest }: Draft, cli: string): Finding {
  return { ...rest, mend: mend(cli) }
}

/** `info` and `config` are undefined where `user` may not run INFO or CONFIG GET. */
export function draftsFrom(info: Settings | undefined, config: Settings | undefined, user: string): Draft[] {
  const facts = { info: (name: string) => info?.get(name), config: (name: SettingName) => config?.get(name) }
  return [
    ...rules.flatMap((rule) => rule(facts) ?? []),
    ...(info === undefined ? [unseenState(user)] : []),
    ...(config === undefined ? [unseenSettings(user)] : []),
  ]
}

type SettingName = (typeof settingNames)[number]

interface Facts {
  info: (name: string) => string | undefined
  config: (name: SettingName) => string | undefined
}

type Rule = (facts: Facts) => Draft | undefined

const set = (setting: string) => (cli: string) => `${cli} CONFIG SET ${setting}`

const isReplica: Rule = ({ info }) =>
  info('role') !== 'slave'
    ? undefined
    : {
        severity: 'danger',
        what: `role slave: the server is a replica of ${info('master_host')}:${info('master_port')}`,
        risk: 'P5: it refuses every append, and may not yet have what its master acknowledged',
        mend: () => `connect to its master: ${info('master_host')}:${info('master_port')}`,
      }

const isOld: Rule = ({ info }) => {
  const version = info('redis_version') ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (version === '' || major > 6 || (major === 6 && minor >= 2)) return undefined
  return {
    severity: 'danger',
    what: `redis_version ${version}`,
    risk: 'P1: lastgood is not tested with Redis older than 6.2',
    mend: () => 'update the server to Redis 6.2 or newer',
  }
}

const hasNoJournalFile: Rule = ({ info, config }) => {
  if (info('aof_enabled') !== '0') return undefined
  const save = config('save')
  const snapshots = save === undefined ? 'since the last snapshot, if there are any' : 'since the last snapshot'
  return {
    severity: 'danger',
    what: save === '' ? 'appendonly no, save "": nothing is written to disk' : 'appendonly no',
    risk: `P1: a restart loses ${save === '' ? 'every session' : `what was acknowledged ${snapshots}`}`,
    mend: set('appendonly yes'),
  }
}

const isFlushedLate: Rule = ({ info, config }) => {
  const fsync = config('appendfsync')
  if (info('aof_enabled') !== '1' || (fsync !== 'everysec' && fsync !== 'no')) return undefined
  return {
    severity: 'warning',
    what: `appendfsync ${fsync}`,
    risk: `P1: a crash of the host loses ${fsync === 'no' ? 'what its kernel has not written yet, usually up to 30 s' : 'the last second or two'} of what was acknowledged`,
    mend: set('appendfsync always'),
  }
}

const isNotFlushedInRewrites: Rule = ({ info, config }) => {
  if (info('aof_enabled') !== '1' || config('no-appendfsync-on-rewrite') !== 'yes') return undefined
  if (config('appendfsync') === 'no') return undefined
  return {
    severity: 'warning',
    what: 'no-appendfsync-on-rewrite yes',
    risk: 'P1: while the server saves or rewrites its file, appends are acknowledged before they are on disk',
    mend: set('no-appendfsync-on-rewrite no'),
  }
}

const cannotWriteJournalFile: Rule = ({ info }) => {
  const status = info('aof_last_write_status')
  if (info('aof_enabled') !== '1' || status === undefined || status === 'ok') return undefined
  return {
    severity: 'danger',
    what: `aof_last_write_status ${status}`,
    risk: 'P5: the server cannot write its append-only file, and refuses appends until it can (MISCONF)',
    mend: () => 'free disk space on the server and look at its log',
  }
}

const cannotSave: Rule = ({ info, config }) => {
  const status = info('rdb_last_bgsave_status')
  if (status === undefined || status === 'ok') return undefined
  const stops = config('stop-writes-on-bgsave-error') !== 'no' && config('save') !== ''
  return {
    severity: stops ? 'danger' : 'warning',
    what: `rdb_last_bgsave_status ${status}`,
    risk: stops
      ? 'P5: the server refuses appends until it can save a snapshot (MISCONF)'
      : 'P1: there is no new snapshot to restore from',
    mend: (cli) => `free disk space on the server, look at its log, then: ${cli} BGSAVE`,
  }
}

const evicts: Rule = ({ info }) => {
  const policy = info('maxmemory_policy')
  if (policy === undefined || policy === 'noeviction') return undefined
  if (policy.startsWith('volatile-')) {
    return {
      severity: 'info',
      what: `maxmemory-policy ${policy}`,
      risk: 'none now: keys of lastgood never expire, so this policy leaves them alone; noeviction says so for all keys',
      mend: set('maxmemory-policy noeviction'),
    }
  }
  const evicted = Number(info('evicted_keys') ?? 0)
  const isBounded = Number(info('maxmemory') ?? 0) > 0
  return {
    severity: isBounded ? 'danger' : 'warning',
    what: `maxmemory-policy ${policy}${evicted > 0 ? `, ${evicted} keys evicted since its start` : ''}`,
    risk: `P1: ${isBounded ? 'when its memory is full' : 'once it has a maxmemory and reaches it'}, the server deletes sessions`,
    mend: set('maxmemory-policy noeviction'),
  }
}

/** As a share of maxmemory. */
const almostFull = 0.85

const isAlmostFull: Rule = ({ info }) => {
  const [used, most] = [Number(info('used_memory') ?? 0), Number(info('maxmemory') ?? 0)]
  if (most === 0 || used < most * almostFull) return undefined
  return {
    severity: used < most ? 'warning' : 'danger',
    what: `used_memory ${megabytes(used)} of maxmemory ${megabytes(most)}`,
    risk: 'P5: at the limit the server refuses every append (OOM), or deletes keys if its policy says so',
    mend: (cli) => `${cli} CONFIG SET maxmemory ${megabytes(most * 2)}`,
  }
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)}mb`

const failsOverWithLoss: Rule = ({ info, config }) => {
  const replicas = Number(info('connected_slaves') ?? 0)
  if (info('role') !== 'master' || replicas === 0 || config('min-replicas-to-write') !== '0') return undefined
  return {
    severity: 'warning',
    what: `min-replicas-to-write 0, with connected_slaves ${replicas}`,
    risk: 'P1: a master that was cut off from its replicas keeps acknowledging what the fail-over then discards',
    mend: set('min-replicas-to-write 1'),
  }
}

/** From CLUSTER INFO. */
const hasLostSlots: Rule = ({ info }) => {
  const [state, failed] = [info('cluster_state'), Number(info('cluster_slots_fail') ?? 0)]
  if (state === undefined || (state === 'ok' && failed === 0)) return undefined
  return {
    severity: 'danger',
    what: `cluster_state ${state}, cluster_slots_fail ${failed}`,
    risk: `P6: ${state === 'ok' ? 'sessions in slots without a master' : 'all sessions'} wait, and get an error when their patience ends (CLUSTERDOWN)`,
    mend: () =>
      'start the master again, or run at one of its replicas: redis-cli -u redis://<replica> CLUSTER FAILOVER TAKEOVER',
  }
}

const hasNoReplica: Rule = ({ info }) =>
  info('cluster_enabled') !== '1' || info('role') !== 'master' || info('connected_slaves') !== '0'
    ? undefined
    : {
        severity: 'info',
        what: 'connected_slaves 0: a master of the Cluster has no replica',
        risk: 'P6: while it is down, nothing takes over its sessions',
        mend: () => 'redis-cli --cluster add-node <new host:port> <host:port> --cluster-slave',
      }

const stopsAsAWhole: Rule = ({ info, config }) =>
  info('cluster_enabled') !== '1' || config('cluster-require-full-coverage') !== 'yes'
    ? undefined
    : {
        severity: 'info',
        what: 'cluster-require-full-coverage yes',
        risk: 'P6: when one master is lost without a replica, the sessions on all others stop too (CLUSTERDOWN)',
        mend: set('cluster-require-full-coverage no'),
      }

/** Worst first. */
const rules: readonly Rule[] = [
  isReplica,
  hasLostSlots,
  isOld,
  evicts,
  hasNoJournalFile,
  cannotWriteJournalFile,
  cannotSave,
  isFlushedLate,
  isNotFlushedInRewrites,
  isAlmostFull,
  failsOverWithLoss,
  hasNoReplica,
  stopsAsAWhole,
]

const unseenState = (user: string): Draft => ({
  severity: 'info',
  what: 'INFO is not allowed, so the role, the memory, the files and the version of the server were not looked at',
  risk: 'P1: whether the server keeps what it acknowledged is unknown',
  mend: (cli) => `${cli} ACL SETUSER ${shellWord(user)} +info`,
})

const unseenSettings = (user: string): Draft => ({
  severity: 'info',
  what: `CONFIG GET is not allowed, so these were not read: ${settingNames.join(', ')}`,
  risk: 'P1: whether the server keeps what it acknowledged is unknown',
  mend: (cli) =>
    `${cli} ACL SETUSER ${shellWord(user)} '+config|get', or ask the operator of the server for these settings`,
})
