/** S6: go on with another model, while the first one is down. */
import { assistantCount, reply, text, toolUse, type Conversation, type Outage } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { journey, keepScreen, type Journey } from './stage.ts'

const first = 'claude-opus-5-5'
const second = 'claude-sonnet-5-5'
const ladder = { LADDER: `${first} ${second}`, WAIT_MS: '50' }

/** Each turn is a tool call and an answer, whoever gives them. */
const model = (conversation: Conversation) =>
  assistantCount(conversation) % 2 === 0
    ? reply([text('Looking.'), toolUse('shell', { command: `step ${assistantCount(conversation) / 2 + 1}` })])
    : reply(text(`Turn ${(assistantCount(conversation) + 1) / 2} is done.`))

/** The first model is gone in the middle of turn 1, and back for turn 2. */
const down: Outage = { when: { requests: [2, 3], model: first }, fault: { kind: 'status', status: 529 } }
const asked = (at: Journey) =>
  at.lab.requests.flatMap(({ n, body, outcome }) => (n === 0 ? [] : [`${body?.model} ${outcome.status}`]))

describe('S6: the model that was asked for is down, and the ladder has another one', () => {
  test('which takes the turn, is announced once with from, to and why, and gives the next turn back to the first', async () => {
    const at = await journey({ model, outages: [down] }, ladder)
    // A session that can be resumed: its program was killed in its first tool.
    const program = at.start('main', ['fix-auth', 'Do turn 1'], { env: { HANG: 'shell' } })
    await program.saw('HANGING')
    await program.kill()

    const one = at.terminal('lastgood', ['resume', 'fix-auth'], { columns: 140 })
    expect(await one.ended).toMatchObject({ code: 0 })
    keepScreen('s06-keep-working', one.screen())
    const announced = one
      .screen()
      .split('\n')
      .filter((line) => line.startsWith('⇄'))
    expect(announced).toHaveLength(1)
    expect(announced[0]?.trim()).toBe(`⇄ ${second} takes the turn from ${first}: 529 overloaded`)
    expect(one.screen()).toMatch(/✔ recovered after [^]*✔ turn 1 is saved/)

    const two = at.terminal('lastgood', ['resume', 'fix-auth', 'Do turn 2'], { columns: 140 })
    expect(await two.ended).toMatchObject({ code: 0 })
    expect(two.screen()).toContain('✔ turn 2 is saved')
    expect(asked(at)).toEqual([
      `${first} 200`,
      `${first} 529`,
      `${first} 529`,
      `${second} 200`,
      `${first} 200`,
      `${first} 200`,
    ])
    expect(at.lab.requests.filter(({ violation }) => violation)).toEqual([])
    expect(await at.entriesOf('rung-changed')).toMatchObject([{ rung: 1, model: second, reason: '529 overloaded' }])

    const shown = await at.run('lastgood', ['show', 'fix-auth'])
    keepScreen('s06-show', shown.stdout)
    expect(shown.stdout).toMatch(new RegExp(`turn 1[^]*⇄ ${second} takes over: .*529[^]*turn 2`))
  })

  test("which gets the whole history, where the SDK's tool loop sends only what is new on a thread", async () => {
    const at = await journey({ model, outages: [down], threads: 'lost' }, ladder)
    const { code, stdout, stderr } = await at.run('runner', ['fix-auth', 'Do turn 1'])
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'Turn 1 is done.\n', stderr: '' })
    const last = at.lab.requests.at(-1)!
    expect(last.body).toMatchObject({ model: second, tools: [{ name: 'shell' }] })
    expect(last.body).not.toHaveProperty('thread')
    expect(last.body?.messages?.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    expect(at.ran).toEqual(['shell step 1'])
  })
})
