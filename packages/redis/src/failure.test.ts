import { describe, expect, it } from 'vitest'
import { isMissingScript, storeUnavailable } from './failure.ts'

const location = 'redis://127.0.0.1:6379/0'

describe('storeUnavailable', () => {
  it.each([
    [
      "OOM command not allowed when used memory > 'maxmemory'. script: ab, on @user_script:7.",
      'OOM',
      /raise maxmemory/,
    ],
    [
      "ERR Error running script (call to f_ab): @user_script:7: -OOM command not allowed when used memory > 'maxmemory'. ",
      'OOM',
      /raise maxmemory/,
    ],
    ["READONLY You can't write against a read only replica.", 'READONLY', /master/],
    [
      "ERR Error running script (call to f_ab): @user_script: 7: -READONLY You can't write against a read only replica. ",
      'READONLY',
      /master/,
    ],
    ['LOADING Redis is loading the dataset in memory', 'LOADING', /try again/],
    [
      'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
      'BUSY',
      /try again .* script kill/,
    ],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'MASTERDOWN', /try again/],
    ['NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS', /try again .* info replication/],
    [
      'MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.',
      'MISCONF',
      /disk space/,
    ],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'WRONGTYPE', /prefix/],
    [
      'ERR Error running script (call to f_ab): @user_script:9: WRONGTYPE Operation against a key holding the wrong kind of value',
      'WRONGTYPE',
      /prefix/,
    ],
    ['NOAUTH Authentication required.', 'NOAUTH', /password/],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS', /password/],
    ["NOPERM this user has no permissions to run the 'evalsha' command", 'NOPERM', /ACL/],
    [
      "NOPERM this user has no permissions to run the 'select' command",
      'NOPERM',
      /^grant it: redis-cli -u redis:\/\/127\.0\.0\.1:6379\/0 ACL SETUSER <user> \+select /,
    ],
    ["NOPERM User few has no permissions to run the 'cluster|slots' command", 'NOPERM', /ACL SETUSER <user> /],
    [
      "ERR The user executing the script can't run this command or subcommand script: ab, on @user_script:1.",
      'ERR',
      /ACL/,
    ],
    [
      "ERR ACL failure in script: User few has no permissions to run the 'hset' command script: ab, on @user_script:1.",
      'ERR',
      /ACL/,
    ],
    ['ERR DB index is out of range', 'ERR', /name one that it has/],
    ['CLUSTERDOWN The cluster is down', 'CLUSTERDOWN', /try again .* cluster nodes/],
    ['Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:7000', undefined, /try again/],
    ['Command timed out', undefined, /retrying is safe/],
    ['connect ECONNREFUSED 127.0.0.1:6379', undefined, /redis-cli -u redis:\/\/127\.0\.0\.1:6379\/0 ping/],
    ['Connection is closed.', undefined, /ping/],
    ['Command aborted due to connection close', undefined, /ping/],
    [
      'Reached the max retries per request limit (which is 20). Refer to "maxRetriesPerRequest" option for details.',
      undefined,
      /ping/,
    ],
    ["Stream isn't writeable and enableOfflineQueue options is false", undefined, /ping/],
    ['All sentinels are unreachable and retry is disabled. Last error: x', undefined, /ping/],
    ['Failed to refresh slots cache.', undefined, /ping/],
    ['self-signed certificate in certificate chain', undefined, /openssl s_client -connect 127\.0\.0\.1:6379$/],
    [
      "Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list",
      undefined,
      /tls: \{ ca/,
    ],
    ['ERR something new', 'ERR', /the server log/],
  ])('%s', (message, code, hint) => {
    const error = storeUnavailable(new Error(message), location)
    expect(error).toMatchObject({ code: 'store-unavailable', hint: expect.stringMatching(hint) })
    expect(error.message).toContain(location)
    expect(error.details['code']).toBe(code)
  })

  it('keeps nothing of an error but its name, its code and its first line (errors of the client carry the command)', () => {
    const error = Object.assign(
      new Error('ERR unknown command `evalsha`, with args beginning with: `secret` \n secret'),
      {
        name: 'ReplyError',
        command: { name: 'evalsha', args: ['secret'] },
        previousErrors: [new Error('secret')],
        lastNodeError: new Error('secret'),
      },
    )
    const told = storeUnavailable(error, location)
    expect(told.cause).toMatchObject({ name: 'ReplyError', code: 'ERR', message: 'ERR unknown command `evalsha`' })
    expect(Object.keys(told.cause as object).sort()).toEqual(['code', 'name'])
  })

  it('says why there is no connection, where that is known, and keeps that as the cause', () => {
    const closed = new Error('Connection is closed.')
    const known = storeUnavailable(closed, location, new Error('WRONGPASS invalid username-password pair'))
    expect(known).toMatchObject({
      message: expect.stringContaining('it refused the password'),
      details: { code: 'WRONGPASS' },
    })
    expect(known.cause).toMatchObject({ message: 'WRONGPASS invalid username-password pair' })
    const slow = storeUnavailable(new Error('Command timed out'), location, new Error('connect ECONNREFUSED'))
    expect(slow.message).toContain('no connection')
    const strange = storeUnavailable(closed, location, new Error('something new'))
    expect(strange.cause).toMatchObject({ message: 'Connection is closed.' })
  })

  it('keeps what the server said, whatever happened to the connection before', () => {
    const oom = storeUnavailable(new Error('OOM command not allowed'), location, new Error('connect ECONNREFUSED'))
    expect(oom.details).toMatchObject({ code: 'OOM' })
  })

  it('does not quote a reply that came unasked', () => {
    const error = new Error(
      'Command queue state error. If you can reproduce this, please report it. Last reply: secret',
    )
    expect(String(storeUnavailable(error, location).cause)).not.toContain('secret')
  })

  it('keeps no secret of a known shape in its text', () => {
    const error = new Error('connect to redis://app:hunter2@10.0.0.1:6379 failed')
    expect(String(storeUnavailable(error, location).cause)).not.toContain('hunter2')
  })

  it('survives a rejection that is no error', () => {
    expect(storeUnavailable('secret', location)).toMatchObject({
      code: 'store-unavailable',
      cause: { message: 'unknown' },
    })
  })
})

describe('isMissingScript', () => {
  it('is true for NOSCRIPT only', () => {
    expect(isMissingScript(new Error('NOSCRIPT No matching script. Please use EVAL.'))).toBe(true)
    expect(isMissingScript(new Error('ERR No matching script'))).toBe(false)
  })
})
