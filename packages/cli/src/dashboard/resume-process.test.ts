import { execFileSync } from 'node:child_process'
import { systemClock, type Head } from '@lastgood/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ResumeProcess } from './resume-process.ts'
import { Resumes } from './resumes.ts'

/** A program of these lines in place of `lastgood resume`. */
function started(...lines: string[]): ResumeProcess {
  const command = [process.execPath, '-e', lines.join('\n')] as const
  const one = new ResumeProcess({ command, env: process.env, flags: [] }, [], process.cwd(), systemClock)
  onTestFinished(() => one.stop())
  return one
}

const printed = (facts: object): string => `console.log(${JSON.stringify(JSON.stringify(facts))})`
const event = (type: string, facts: object = {}): string =>
  printed({ schema: 'lastgood.event/v1', event: type, ...facts })
const fault = (kind: string): string => event('fault-observed', { fault: { kind, status: 400, message: 'MY PLAN' } })
const error = { code: 'session-suspended', message: 'session s is suspended', hint: 'lastgood resume s' }
const failed = printed({ schema: 'lastgood.error/v1', error })

describe('what it writes', () => {
  test('is facts and its own words of why it failed; what the agent prints and the API quotes is content', async () => {
    const one = started(
      "console.log('the private diff')",
      printed({ schema: 'mine', text: 'the private diff' }),
      fault('transcript-invalid'),
      "console.error('error: no configuration\\n  cause: ENOENT\\n  next: write one')",
    )
    await one.ended
    const { lines } = one.standing()
    expect(lines.toSorted()).toEqual([
      'cause: ENOENT',
      'error: no configuration',
      'next: write one',
      JSON.stringify({
        schema: 'lastgood.event/v1',
        event: 'fault-observed',
        fault: { kind: 'transcript-invalid', status: 400 },
      }),
    ])
    const { lines: all } = one.standing(true)
    expect(all).toHaveLength(6)
    expect(all).toContain('the private diff')
  })

  test('keeps its facts, however much its agent prints', async () => {
    const one = started(event('turn-ended'), "for (let i = 0; i < 100; i++) console.log('a line')")
    await one.ended
    expect(one.standing().lines).toHaveLength(1)
  })
})

describe('an outage', () => {
  test.each([
    ['is what it met last', [fault('overloaded'), failed], true],
    ['is what held it back', [event('request-held', { reason: 'circuit breaker open for m' }), failed], true],
    ['is not a trouble of its own', [fault('spend-blocked'), failed], false],
    ['is not what was answered since', [fault('overloaded'), event('response-received'), failed], false],
    ['is not what it never asked about', [failed], false],
  ])('%s', async (_, lines, metOutage) => {
    expect(await started(...lines).ended).toEqual({ exitCode: 0, metOutage, error })
  })
})

test('has ended once its process has, even if what its tools have started holds its output', async () => {
  const one = started(
    "const { spawn } = require('node:child_process')",
    "spawn('sleep', ['1000'], { stdio: 'inherit' }).unref()",
    event('turn-ended'),
  )
  expect((await one.ended).exitCode).toBe(0)
  expect(one.isRunning).toBe(false)
  expect(one.standing()).toMatchObject({ exitCode: 0, lines: [expect.stringContaining('turn-ended')] })
})

test('what its tools have started ends with it', async () => {
  const one = started(
    "const { spawn } = require('node:child_process')",
    "const { pid } = spawn('sleep', ['1000'], { stdio: 'ignore' })",
    "process.on('SIGTERM', () => process.exit(0))",
    'console.log(pid)',
  )
  await expect.poll(() => one.standing(true).lines.length, { timeout: 5_000 }).toBe(1)
  const pid = Number(one.standing(true).lines[0])
  expect(runs(pid)).toBe(true)
  await one.stop()
  expect((await one.ended).exitCode).toBe(0)
  await expect.poll(() => runs(pid)).toBe(false)
})

test('what earlier resumes of a session have left ends with the server, too', async () => {
  const script = [
    "const { spawn } = require('node:child_process')",
    "const { pid } = spawn('sleep', ['1000'], { stdio: 'inherit' })",
    'console.log(pid)',
    'process.exit(0)',
  ].join('\n')
  const resume = { command: [process.execPath, '-e', script], env: process.env, flags: [] } as const
  const resumes = new Resumes({ clock: systemClock, resume, cwd: process.cwd() })
  onTestFinished(() => resumes.close())
  const left: number[] = []
  for (let time = 0; time < 2; time += 1) {
    const one = resumes.start({ sessionId: 's' } as Head)
    await one.ended
    left.push(Number(one.standing(true).lines[0]))
  }
  expect(left.map(runs)).toEqual([true, true])
  await resumes.close()
  await expect.poll(() => left.map(runs)).toEqual([false, false])
})

/** A process that ended, and that nobody has asked about, is there as a zombie. */
function runs(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z')
  } catch {
    return false
  }
}
