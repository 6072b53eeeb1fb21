import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { exitCodeOf } from './exit-codes.ts'
import { LastgoodError, type ErrorCode } from '@lastgood/core'
import { newFolder, run } from '../test/context.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

it.each([[['--version']], [['resume', '--version']]])('%j prints the version', async (argv) => {
  expect(await run(argv)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

it('--help goes to stdout and names every command', async () => {
  const { code, stdout, stderr } = await run(['--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/resume[^]*list[^]*show[^]*status[^]*Exit codes/)
})

describe('wrong usage is exit code 2', () => {
  it.each([
    [['lits'], 'Did you mean list?'],
    [['help', 'lits'], "unknown command 'lits'\n(Did you mean list?)"],
    [['list', '--jso'], 'Did you mean --json?'],
    [['list', '--json', '--jsonl'], 'cannot be used with'],
    [['list', '--state', 'broken'], 'there is no state "broken"'],
    [['list', '--since', 'soon'], '90s, 2h or 7d'],
    [['resume', 'x', '--max-wait', 'long'], '90s, 10m, 2h'],
    [['resume', 'x', '--in-doubt', 'maybe'], 'rerun, report, ask'],
    [['show'], "missing required argument 'session'\n  next: lastgood show --help\n"],
    [['show', 'x', '--turn', '0'], 'turns count from 1'],
    [['list', '--color', 'pink'], 'auto, always, never'],
    [['list', '--store', 'mysql://host'], 'of an unknown kind: mysql'],
    [['show', '../../etc/passwd', '--store', 'state'], 'not a session id'],
    [[], 'Usage: lastgood'],
  ])('%j: %s', async (argv, text) => {
    const { code, stderr } = await run(argv, { cwd: newFolder() })
    expect(code).toBe(2)
    expect(stderr).toContain(text)
  })

  it('and with --json an object says so too', async () => {
    const { code, stdout } = await run(['list', '--json', '--sicne', '1h'])
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'lastgood.error/v1',
      error: {
        code: 'bad-option',
        message: "unknown option '--sicne'\n(Did you mean --since?)",
        hint: 'lastgood list --help',
      },
      exitCode: code,
    })
  })
})

it.each<[ErrorCode, number]>([
  ['bad-option', 2],
  ['needs-input', 2],
  ['session-not-found', 3],
  ['store-unavailable', 4],
  ['session-busy', 5],
  ['lease-lost', 5],
  ['journal-corrupt', 6],
  ['journal-version', 6],
  ['request-failed', 1],
  ['session-suspended', 1],
])('%s is exit code %i', (code, exitCode) => {
  expect(exitCodeOf(new LastgoodError(code, '', { hint: '' }))).toBe(exitCode)
})

it('a session that is suspended until an instant is exit code 75', () => {
  expect(exitCodeOf(new LastgoodError('session-suspended', '', { hint: '', details: { retryAt: 1 } }))).toBe(75)
})
