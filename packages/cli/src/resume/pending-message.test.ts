import { describe, expect, it } from 'vitest'
import { answered, ended, obliging, overloaded, project, run, seed, sent, started } from '../../test/context.ts'

const open = [started(1), sent()]
const idle = [...open, answered('Yes.'), ended(1)]
const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)
const pending = 'the new message is not recorded yet, only in the command'

/** An agent that begins a turn only where none is open, then waits until it is stopped. */
const waiting = `coder: { name: 'coder', async run(session, input) {
  if (!session.hasOpenTurn) await session.startTurn([{ role: 'user', content: input }], 'coder')
  globalThis.lastgoodTestPending?.()
  await new Promise((_, reject) => session.signal.addEventListener('abort', () => reject(session.signal.reason)))
} }`

const asking = `coder: { name: 'coder', async run(session) {
  const { LastgoodError } = await import('${import.meta.resolve('@lastgood/core')}')
  throw new LastgoodError('needs-input', 'was it deployed?', { hint: 'decide' })
} }`

/** The turn is being recorded when it is stopped. */
const late = `coder: { name: 'coder', async run(session, input) {
  const begun = session.startTurn([{ role: 'user', content: input }], 'coder')
  globalThis.lastgoodTestPending?.()
  await begun
  await new Promise((_, reject) => session.signal.addEventListener('abort', () => reject(session.signal.reason)))
} }`

async function stopped(entries: Parameters<typeof seed>[2], words: readonly string[], agent = waiting) {
  const { cwd, store } = project(agent)
  await seed(store, 's', entries)
  Object.assign(globalThis, { lastgoodTestPending: () => setImmediate(() => running.stop('SIGTERM')) })
  const running = run(['resume', 's', ...words], { cwd })
  return running
}

describe('a message that has not become a turn is in the command that goes on', () => {
  it('where --max-wait ends before the open turn; that command sends it', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', [started(1), sent(), overloaded(3_600_000, Date.now())])
    const ran = await run(['resume', 's', "don't", 'stop', '--max-wait', '10m', '--json'], { cwd })
    expect(ran.code).toBe(75)
    expect(lastLine(ran.stderr)).toBe(`lastgood resume s 'don'\\''t stop'`)
    expect(ran.stderr).toContain(pending)
    expect(JSON.parse(ran.stdout)).toMatchObject({ messagePending: true, command: lastLine(ran.stderr) })
  })

  it('where the process is stopped in the turn before it', async () => {
    const { code, stderr } = await stopped(open, ['second words'])
    expect(code).toBe(143)
    expect(stderr).toContain(pending)
    expect(lastLine(stderr)).toBe(`lastgood resume s 'second words'`)
  })

  it('but not once its turn was begun', async () => {
    const { stderr } = await stopped(idle, ['first words'])
    expect(stderr).not.toContain(pending)
    expect(lastLine(stderr)).toBe('lastgood resume s')
  })

  it('nor where the open turn began with the same words', async () => {
    const { stderr } = await stopped([started(1, 'same words'), sent()], ['same words'])
    expect(stderr).not.toContain(pending)
    expect(lastLine(stderr)).toBe('lastgood resume s')
  })

  it('nor where its turn begins while the stop is recorded', async () => {
    const { stderr } = await stopped(idle, ['late words'], late)
    expect(stderr).not.toContain(pending)
    expect(lastLine(stderr)).toBe('lastgood resume s')
  })

  it('nor where the agent has answered it', async () => {
    const { cwd, store } = project(
      `coder: { name: 'coder', run: async () => ({ turn: 1, text: 'Known.', content: [] }) }`,
    )
    await seed(store, 's', open)
    const { stdout } = await run(['resume', 's', 'words', '--json'], { cwd })
    expect(JSON.parse(stdout)).toMatchObject({ state: 'done', messagePending: false })
  })

  it('in a dry run', async () => {
    const { cwd, store } = project(obliging)
    await seed(store, 's', idle)
    expect((await run(['resume', 's', 'And now', '--dry-run'], { cwd })).stdout).toBe(`lastgood resume s 'And now'\n`)
  })

  it('also one that looks like an option, behind all options', async () => {
    const { cwd, store } = project(asking)
    await seed(store, 's', open)
    const { code, stderr } = await run(['resume', 's', '--', '--force it'], { cwd })
    expect(code).toBe(2)
    expect(lastLine(stderr)).toBe(`lastgood resume s --in-doubt report -- '--force it'`)
  })
})
