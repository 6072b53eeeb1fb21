import type { EntryBody, FaultKind } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { answered, ended, project, run, seed, sent, started } from '../../test/context.ts'

/** An agent whose requests are refused as they were before. */
const refused = `coder: { name: 'coder', async run(session) {
  const { requestFailed } = await import('${import.meta.resolve('@lastgood/core')}')
  throw requestFailed(session)
} }`

const before = [started(1), sent(), answered('Yes.'), ended(1), started(2), sent()]
const fault = (kind: FaultKind): EntryBody => ({
  type: 'fault-observed',
  fault: { kind, status: 400 },
  decision: { kind: 'fail', reason: 'The API refused it' },
})
const byTheModel = answered('No.')
if (byTheModel.type === 'response-received') byTheModel.message.stop_reason = 'refusal'

async function after(entry: EntryBody): Promise<string> {
  const { cwd, store } = project(refused)
  await seed(store, 's', [...before, entry])
  return cwd
}

describe('a turn that was refused', () => {
  const again = 'the same would be refused again; other words replace the open turn'

  it.each<[string, EntryBody]>([
    ['by the API, for what it says', fault('transcript-invalid')],
    ['by the model', byTheModel],
  ])('%s: no command is told that would be refused again', async (_who, entry) => {
    const cwd = await after(entry)
    const { code, stderr } = await run(['resume', 's'], { cwd })
    expect(code).toBe(1)
    expect(stderr).toContain('state    saved at turn 1; turn 2 is open: it was refused\n')
    expect(stderr).toContain(`  saved at turn 1; ${again}\nlastgood resume s '<message>'\n`)
    expect((await run(['show', 's'], { cwd })).stderr).toBe(`${again}\nlastgood resume s '<message>'\n`)
    expect((await run(['status', '--no-page'], { cwd })).stdout).toContain('next: lastgood show s\n')
    expect((await run(['resume'], { cwd })).stderr).toContain(`    lastgood resume s '<message>'\n`)
    expect((await run(['doctor'], { cwd })).stdout).toContain(`fix:  lastgood resume s '<message>'\n`)
  })

  it('for what can be corrected elsewhere is sent again by the command', async () => {
    const cwd = await after(fault('config'))
    const { stderr } = await run(['resume', 's'], { cwd })
    expect(stderr).toMatch(/once that is fixed, continue with\nlastgood resume s\n$/)
    expect((await run(['show', 's'], { cwd })).stderr).toBe('continue with\nlastgood resume s\n')
    expect((await run(['status', '--no-page'], { cwd })).stdout).toContain('next: lastgood resume s\n')
  })

  it('where words are given that did not become a turn: these are in the command', async () => {
    const cwd = await after(fault('transcript-invalid'))
    const { stderr } = await run(['resume', 's', 'shorter'], { cwd })
    expect(stderr).toMatch(/only in the command; once that is fixed, continue with\nlastgood resume s shorter\n$/)
  })
})
