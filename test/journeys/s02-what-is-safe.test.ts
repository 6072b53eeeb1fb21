/** S2: what is safe, if somebody leaves during the wait? */
import { reply, story, text, toolUse, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { journey, keepScreen, lastLine } from './stage.ts'

const model = story([
  reply(text('The tests are green.')),
  reply([text('Looking.'), toolUse('shell', { command: 'ls docs' })]),
  { expect: { toolResult: 'ok: ls docs' }, reply: reply(text('The docs are written.')) },
])
const down: Outage = { when: { requests: [3, Infinity] }, fault: { kind: 'status', status: 503 } }
/** A wait that nobody would sit out. */
const waits = { WAIT_MS: '600000' }

describe('S2: Ctrl+C during a wait', () => {
  test('ends the command without another request: 130, saved, and the last line goes on', async () => {
    const at = await journey({ model, outages: [down] }, waits)
    expect(await at.run('main', ['fix-auth', 'Make the tests green'])).toMatchObject({ code: 0 })
    const terminal = at.terminal('lastgood', ['resume', 'fix-auth', 'Write the docs'])
    await terminal.shows(/◐ API 503 .* · next in 10m00s|◐ API 503 .* · next in 9m\d\ds/)
    const asked = at.lab.requests.length
    terminal.press('ctrl-c')
    const { code, screen } = await terminal.ended
    keepScreen('s02-ctrl-c', screen)
    expect(code).toBe(130)
    expect(screen).toContain('interrupted: saved at turn 1; continue with')
    expect(lastLine(screen)).toBe('lastgood resume fix-auth')
    expect(at.lab.requests).toHaveLength(asked)
    expect(await at.head()).toMatchObject({ status: 'suspended', turn: 2, lastGoodTurn: 1 })

    // As the last line says; it need not wait for what was armed before.
    at.lab.setOutages([])
    const again = await at.run('lastgood', lastLine(screen)!.split(' ').slice(1))
    expect(again).toMatchObject({ code: 0, stdout: 'The docs are written.\n' })
    expect(at.ran).toEqual(['shell ls docs'])
  })

  test('of a loop of its own loses nothing: started again it goes on, and no tool runs twice', async () => {
    const at = await journey({ model, outages: [down] }, { WAIT_MS: '1500' })
    const prompts = ['Make the tests green', 'Write the docs']
    const terminal = at.terminal('loop', ['fix-auth', ...prompts])
    await terminal.shows(/◐ API 503 .* · saved at turn 1/)
    terminal.press('ctrl-c')
    // Nobody but the program itself says how it ends.
    const { signal, screen } = await terminal.ended
    keepScreen('s02-own-loop', screen)
    expect(signal).toBe(2)
    expect(await at.head()).toMatchObject({ status: 'waiting', turn: 2, lastGoodTurn: 1 })
    const listed = await at.run('lastgood', ['list'])
    expect(listed.stdout).toMatch(/waiting +fix-auth/)
    at.lab.setOutages([])
    expect(await at.run('loop', ['fix-auth', ...prompts])).toMatchObject({ code: 0, stdout: 'The docs are written.\n' })
    expect(at.ran).toEqual(['shell ls docs'])
  })
})
