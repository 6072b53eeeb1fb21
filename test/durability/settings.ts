/** The compared settings of a server: what it promises by its manual, and how it comes back after a kill. */
import type { StartOptions } from '../support/redis-server.ts'

export const settingNames = [
  'always',
  'everysec',
  'everysec-busy-disk',
  'no',
  'no-file',
  'fail-over',
  'fail-over-wait',
  'waitaof',
] as const
export type SettingName = (typeof settingNames)[number]

export interface Setting {
  readonly name: SettingName
  readonly label: string
  readonly start: StartOptions
  /** What a writer asks after the append before it counts it as acknowledged. */
  readonly confirm?: 'wait' | 'waitaof'
  /** After the kill the same server starts again, or its replica is promoted. */
  readonly back: 'restarted' | 'replica promoted'
  /** Another program writes and flushes on the same disk. */
  readonly busyDisk?: boolean
  /** Whether a loss breaks what the server promises. */
  readonly keepsAll: boolean
}

/** Without the delay in which a master waits for more replicas. */
const atOnce = ['--repl-diskless-sync-delay', '0']
const noFile = ['--appendonly', 'no', '--save', '3600 1 300 100 60 10000']

const all: Readonly<Record<SettingName, Omit<Setting, 'name'>>> = {
  always: { label: 'appendfsync always', start: { appendfsync: 'always' }, back: 'restarted', keepsAll: true },
  everysec: { label: 'appendfsync everysec', start: { appendfsync: 'everysec' }, back: 'restarted', keepsAll: false },
  'everysec-busy-disk': {
    label: 'appendfsync everysec, busy disk',
    start: { appendfsync: 'everysec' },
    back: 'restarted',
    busyDisk: true,
    keepsAll: false,
  },
  no: { label: 'appendfsync no', start: { appendfsync: 'no' }, back: 'restarted', keepsAll: false },
  'no-file': { label: 'appendonly no, usual snapshots', start: { args: noFile }, back: 'restarted', keepsAll: false },
  'fail-over': {
    label: 'appendfsync always, a replica',
    start: { appendfsync: 'always', args: atOnce },
    back: 'replica promoted',
    keepsAll: false,
  },
  'fail-over-wait': {
    label: 'appendfsync always, a replica, WAIT 1',
    start: { appendfsync: 'always', args: atOnce },
    confirm: 'wait',
    back: 'replica promoted',
    keepsAll: true,
  },
  waitaof: {
    label: 'appendfsync everysec, WAITAOF 1 0',
    start: { appendfsync: 'everysec' },
    confirm: 'waitaof',
    back: 'restarted',
    keepsAll: true,
  },
}

export const settings: readonly Setting[] = settingNames.map((name) => ({ name, ...all[name] }))

/** Why this server cannot have the setting; undefined when it can. */
export function unavailable({ confirm }: Setting, version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (confirm !== 'waitaof' || major > 7 || (major === 7 && minor >= 2)) return undefined
  return `Redis ${version} has no WAITAOF (7.2 or newer)`
}
