import { describe, expect, it } from 'vitest'
import { addressed, draftsFrom } from './finding-rules.ts'

const sound = {
  info: {
    redis_version: '7.0.15',
    role: 'master',
    connected_slaves: '0',
    cluster_enabled: '0',
    aof_enabled: '1',
    aof_last_write_status: 'ok',
    rdb_last_bgsave_status: 'ok',
    maxmemory: '0',
    maxmemory_policy: 'noeviction',
    used_memory: '1000000',
  },
  config: {
    appendfsync: 'always',
    'no-appendfsync-on-rewrite': 'no',
    save: '',
    'stop-writes-on-bgsave-error': 'yes',
    'min-replicas-to-write': '0',
    'cluster-require-full-coverage': 'no',
  },
}

type Changes = Record<string, string>

function found(info: Changes, config: Changes | 'not allowed' = {}) {
  const seen = config === 'not allowed' ? undefined : new Map(Object.entries({ ...sound.config, ...config }))
  const drafts = draftsFrom(new Map(Object.entries({ ...sound.info, ...info })), seen, 'default')
  return drafts.map((draft) => addressed(draft, cli))
}

const cli = 'redis-cli -u redis://h:1/0'
const cluster = { cluster_enabled: '1', connected_slaves: '1', cluster_state: 'ok', cluster_slots_fail: '0' }

describe('a finding', () => {
  it('is not made of a server that is set up well', () => {
    expect(found({})).toEqual([])
    expect(found({ connected_slaves: '2' }, { 'min-replicas-to-write': '1' })).toEqual([])
    expect(found(cluster, { 'min-replicas-to-write': '1' })).toEqual([])
  })

  it.each<[string, Changes, Changes, string, string, RegExp, string]>([
    [
      'no append-only file',
      { aof_enabled: '0' },
      { save: '3600 1' },
      'danger',
      'appendonly no',
      /^P1: a restart loses what was acknowledged since the last snapshot$/,
      `${cli} CONFIG SET appendonly yes`,
    ],
    [
      'nothing on disk',
      { aof_enabled: '0' },
      {},
      'danger',
      'appendonly no, save "": nothing is written to disk',
      /^P1: .* every session/,
      `${cli} CONFIG SET appendonly yes`,
    ],
    [
      'a late fsync',
      {},
      { appendfsync: 'everysec' },
      'warning',
      'appendfsync everysec',
      /^P1: a crash of the host .* second or two/,
      `${cli} CONFIG SET appendfsync always`,
    ],
    [
      'no fsync',
      {},
      { appendfsync: 'no' },
      'warning',
      'appendfsync no',
      /^P1: a crash of the host .* 30 s/,
      `${cli} CONFIG SET appendfsync always`,
    ],
    [
      'no fsync in rewrites',
      {},
      { 'no-appendfsync-on-rewrite': 'yes' },
      'warning',
      'no-appendfsync-on-rewrite yes',
      /^P1/,
      `${cli} CONFIG SET no-appendfsync-on-rewrite no`,
    ],
    [
      'a file that cannot be written',
      { aof_last_write_status: 'err' },
      {},
      'danger',
      'aof_last_write_status err',
      /^P5: .*MISCONF/,
      'free disk space on the server and look at its log',
    ],
    [
      'a snapshot that failed',
      { rdb_last_bgsave_status: 'err' },
      { save: '60 1' },
      'danger',
      'rdb_last_bgsave_status err',
      /^P5: .*MISCONF/,
      `free disk space on the server, look at its log, then: ${cli} BGSAVE`,
    ],
    [
      'a snapshot that failed and stops nothing',
      { rdb_last_bgsave_status: 'err' },
      {},
      'warning',
      'rdb_last_bgsave_status err',
      /^P1/,
      `free disk space on the server, look at its log, then: ${cli} BGSAVE`,
    ],
    [
      'an eviction policy',
      { maxmemory: '9000000', maxmemory_policy: 'allkeys-lru', evicted_keys: '3' },
      {},
      'danger',
      'maxmemory-policy allkeys-lru, 3 keys evicted since its start',
      /^P1: .* deletes sessions/,
      `${cli} CONFIG SET maxmemory-policy noeviction`,
    ],
    [
      'an eviction policy without a limit',
      { maxmemory_policy: 'allkeys-random' },
      {},
      'warning',
      'maxmemory-policy allkeys-random',
      /^P1: once it has a maxmemory/,
      `${cli} CONFIG SET maxmemory-policy noeviction`,
    ],
    [
      'a policy for keys that expire',
      { maxmemory: '9000000', maxmemory_policy: 'volatile-lru' },
      {},
      'info',
      'maxmemory-policy volatile-lru',
      /^none now/,
      `${cli} CONFIG SET maxmemory-policy noeviction`,
    ],
    [
      'memory that is almost full',
      { maxmemory: '10485760', used_memory: '9437184' },
      {},
      'warning',
      'used_memory 9mb of maxmemory 10mb',
      /^P5: .*OOM/,
      `${cli} CONFIG SET maxmemory 20mb`,
    ],
    [
      'full memory',
      { maxmemory: '10485760', used_memory: '10485760' },
      {},
      'danger',
      'used_memory 10mb of maxmemory 10mb',
      /^P5/,
      `${cli} CONFIG SET maxmemory 20mb`,
    ],
    [
      'a replica',
      { role: 'slave', master_host: '10.0.0.1', master_port: '6379' },
      {},
      'danger',
      'role slave: the server is a replica of 10.0.0.1:6379',
      /^P5/,
      'connect to its master: 10.0.0.1:6379',
    ],
    [
      'replicas that need not have a write',
      { connected_slaves: '2' },
      {},
      'warning',
      'min-replicas-to-write 0, with connected_slaves 2',
      /^P1/,
      `${cli} CONFIG SET min-replicas-to-write 1`,
    ],
    [
      'a master of a Cluster without a replica',
      { ...cluster, connected_slaves: '0' },
      {},
      'info',
      'connected_slaves 0: a master of the Cluster has no replica',
      /^P6/,
      'redis-cli --cluster add-node <new host:port> <host:port> --cluster-slave',
    ],
    [
      'a Cluster that stops as a whole',
      cluster,
      { 'cluster-require-full-coverage': 'yes', 'min-replicas-to-write': '1' },
      'info',
      'cluster-require-full-coverage yes',
      /^P6: .*CLUSTERDOWN/,
      `${cli} CONFIG SET cluster-require-full-coverage no`,
    ],
    [
      'an old server',
      { redis_version: '6.0.16' },
      {},
      'danger',
      'redis_version 6.0.16',
      /6\.2/,
      'update the server to Redis 6.2 or newer',
    ],
    [
      'a Cluster that is down',
      { ...cluster, cluster_state: 'fail', cluster_slots_fail: '5461' },
      { 'min-replicas-to-write': '1' },
      'danger',
      'cluster_state fail, cluster_slots_fail 5461',
      /^P6: all sessions/,
      'start the master again, or run at one of its replicas: redis-cli -u redis://<replica> CLUSTER FAILOVER TAKEOVER',
    ],
    [
      'slots without a master',
      { ...cluster, cluster_state: 'ok', cluster_slots_fail: '5461' },
      { 'min-replicas-to-write': '1' },
      'danger',
      'cluster_state ok, cluster_slots_fail 5461',
      /^P6: sessions in slots/,
      'start the master again, or run at one of its replicas: redis-cli -u redis://<replica> CLUSTER FAILOVER TAKEOVER',
    ],
  ])('is made of %s, with the setting, the promise and the command', (_, info, config, severity, what, risk, mend) => {
    expect(found(info, config)).toEqual([{ severity, what, risk: expect.stringMatching(risk), mend }])
  })

  it.each(['6.2.0', '7.0.15', '8.0.0', '10.1.0'])('is not made of the version %s', (redis_version) => {
    expect(found({ redis_version })).toEqual([])
  })

  it('says what it could not see, and nothing that it did not see, where CONFIG is not allowed', () => {
    expect(found({}, 'not allowed')).toEqual([
      {
        severity: 'info',
        what: expect.stringMatching(/^CONFIG GET is not allowed, .*: appendfsync, .*min-replicas-to-write/),
        risk: expect.stringMatching(/^P1/),
        mend: expect.stringContaining('+config|get'),
      },
    ])
    const more = found({ aof_enabled: '0', connected_slaves: '1', rdb_last_bgsave_status: 'err' }, 'not allowed')
    expect(more.map(({ what }) => what.split(' ')[0])).toEqual(['appendonly', 'rdb_last_bgsave_status', 'CONFIG'])
    expect(more[0]?.risk).toContain('if there are any')
  })
})
