/** S9: a history that the API refuses each time: it is no outage, it is shown by turn, and it is mended. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import type { Message } from '@lastgood/core'
import { checkRequest, reply, text } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import {
  call,
  fileOf,
  linesFor,
  requestOf,
  result,
  text as words,
} from '../../packages/cli/src/repair/session-file.fixture.ts'
import { apiKey, journey, keepScreen } from './stage.ts'

const said = (content: Message['content']): Message => ({ role: 'user', content })
const answered = (...content: object[]): Message => ({ role: 'assistant', content: content as never })

/** What other tools have left in histories, and the words with which the API refuses them. */
const poisons: [string, Message[], RegExp][] = [
  [
    'an empty text',
    [said('Hi.'), answered({ type: 'text', text: 'Hello.' }, { type: 'text', text: '' }), said('And?')],
    /text content blocks must be non-empty/,
  ],
  [
    'a call without its result',
    [said('Look.'), answered(call('toolu_01')), said('Are you there?')],
    /tool_use.*without.*tool_result/,
  ],
  [
    'empty thinking',
    [
      said('Hi.'),
      answered({ type: 'thinking', thinking: '', signature: '' }, { type: 'text', text: 'Hello.' }),
      said('And?'),
    ],
    /thinking/,
  ],
]

describe('S9: a session with', () => {
  test.each(poisons)(
    '%s is shown by turn, mended on its way, and not taken for an outage',
    async (name, history, refusal) => {
      const down = {
        when: { requests: [1, Infinity] as [number, number] },
        fault: { kind: 'status' as const, status: 503 },
      }
      const at = await journey({ model: () => reply(text('Here I am.')), outages: [down] }, { WAIT_MS: '1500' })
      const model = 'claude-opus-5-5'
      expect(checkRequest({ model, max_tokens: 1024, messages: [...history, said('Go on.')] })?.message).toMatch(
        refusal,
      )

      // It gets into a session whose process dies.
      writeFileSync(join(at.cwd, 'history.json'), JSON.stringify(history))
      const program = at.start('loop', ['fix-auth', 'Go on.'], { env: { HISTORY: 'history.json' } })
      await expect.poll(() => at.entriesOf('fault-observed'), { timeout: 20_000 }).toHaveLength(1)
      await program.kill()

      const before = await at.entries()
      const { code, stdout, stderr } = await at.run('lastgood', ['repair', 'fix-auth', '--dry-run'])
      keepScreen(`s09-repair-${name.replaceAll(' ', '-')}`, stderr + stdout)
      expect(code).toBe(0)
      expect(stdout).toMatch(/^turn 1\n {2}message \d (user|assistant)\n {4}[a-z-]+ .+\n/)
      expect(stderr).toContain('this is done when its next request is sent')
      expect(await at.entries()).toEqual(before)

      at.lab.setOutages([])
      const asked = at.lab.requests.length
      const again = await at.run('loop', ['fix-auth', 'Go on.'])
      expect(again).toMatchObject({ code: 0, stdout: 'Here I am.\n' })
      expect(again.stderr).toMatch(/✚ request repaired, and accepted: /)
      const sent = at.lab.requests.slice(asked)
      expect(sent.at(-1)).toMatchObject({ outcome: { kind: 'ok' } })
      // A refusal is answered by a repair, never by the same again.
      expect(new Set(sent.map(({ raw }) => raw)).size).toBe(sent.length)
      expect(await at.entriesOf('transcript-repaired')).toHaveLength(1)
    },
  )
})

test('S9: a file of Claude Code is shown by turn, written anew with a copy of what was there, and its session goes on', async () => {
  const at = await journey({ model: () => reply(text('Here I am.')) })
  const client = new Anthropic({ baseURL: at.lab.url, apiKey, maxRetries: 0, logLevel: 'off' })
  const goesOn = (file: Buffer) => client.messages.create(requestOf(file) as Anthropic.MessageCreateParamsNonStreaming)
  const conversation = [
    said('Do the steps.'),
    answered(words('Step one.'), call('toolu_1')),
    said([result('toolu_1')]),
    answered(words('All done.')),
    said('Again please.'),
    answered(words('Once more.'), call('toolu_2'), call('toolu_3')),
    said([result('toolu_2')]),
  ]
  const poisoned = fileOf(linesFor(conversation))
  const path = join(at.cwd, '4f1c.jsonl')
  writeFileSync(path, poisoned)
  await expect(goesOn(poisoned)).rejects.toThrow('tool_use` ids were found without `tool_result` blocks')

  const shown = await at.run('lastgood', ['repair', path, '--dry-run'])
  keepScreen('s09-file', shown.stderr + shown.stdout)
  expect(shown.code).toBe(0)
  expect(shown.stdout).toMatch(/^turn 2\n {2}message \d user\n {4}results .*\n[^]*\+ result of toolu_3: /)
  expect(shown.stderr).toContain('nothing was changed; to apply it\nlastgood repair ')
  expect(readFileSync(path)).toEqual(poisoned)

  const terminal = at.terminal('lastgood', ['repair', path, '--apply'])
  await terminal.shows('[y/N]')
  terminal.type('y')
  terminal.press('enter')
  const { code, screen } = await terminal.ended
  keepScreen('s09-applied', screen)
  expect(code).toBe(0)
  expect(screen).toContain('✔ repaired; to restore the original')
  const copies = readdirSync(at.cwd).filter((name) => name.startsWith('4f1c.jsonl.backup-'))
  expect(copies).toHaveLength(1)
  expect(readFileSync(join(at.cwd, copies[0]!))).toEqual(poisoned)
  expect((await goesOn(readFileSync(path))).content).toMatchObject([{ type: 'text', text: 'Here I am.' }])
})
