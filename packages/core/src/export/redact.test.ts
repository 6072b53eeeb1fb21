import { expect, test } from 'vitest'
import type { Entry } from '../journal/journal.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openSession } from '../session/open-session.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { decodeExport } from './export-file.ts'
import { exportSession } from './export-session.ts'
import { redacted } from './redact.ts'

const clock = new ManualClock()

async function* each(lines: readonly string[]) {
  yield* lines
}

test('a redacted file has kinds and lengths in place of content, and still says how it went', async () => {
  const store = memoryStore({ clock })
  const session = await openSession('s', { store, clock, cwd: '/home/ada/secret-shop' })
  const secret = 'the secret plan'
  const call = { type: 'tool_use', id: 't1', name: 'run', input: { cmd: secret } }
  await session.record([
    { type: 'turn-started', turn: 1, messages: [{ role: 'user', content: [{ type: 'text', text: secret }] }] },
    {
      type: 'envelope-changed',
      envelope: {
        body: {
          model: 'm',
          max_tokens: 5,
          system: secret,
          metadata: { user_id: secret },
          context_management: {
            edits: [
              { type: 'compact_20260112', trigger: { type: 'input_tokens', value: 100_000 }, instructions: secret },
              { type: 'clear_tool_uses_20250919', keep: { type: 'tool_uses', value: 3 }, exclude_tools: ['run'] },
            ],
          },
          output_config: { effort: 'high', format: { type: 'json_schema', schema: { description: secret } } },
          tools: [{ name: 'run', description: secret, input_schema: { type: 'object', properties: { [secret]: {} } } }],
        },
        betas: ['b'],
      },
    },
    { type: 'request-sent', model: 'm', attempt: 1 },
    {
      type: 'fault-observed',
      fault: { kind: 'transcript-invalid', status: 400, message: `messages.0.content: "${secret}" is not allowed` },
      decision: { kind: 'repair', rule: 'r' },
    },
    { type: 'request-sent', model: 'm', attempt: 2 },
    {
      type: 'response-received',
      message: {
        id: 'm1',
        role: 'assistant',
        model: 'm',
        content: [{ type: 'thinking', thinking: secret, signature: secret }, { type: 'text', text: secret }, call],
        stop_reason: 'tool_use',
        usage: { input_tokens: 7 },
      },
    },
    { type: 'tool-started', toolUseId: 't1', name: 'run', inDoubt: 'report' },
    {
      type: 'tool-finished',
      toolUseId: 't1',
      result: { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: secret }], is_error: true },
      outcome: 'ran',
    },
    { type: 'step-started', stepId: `key:${secret}`, name: 'deploy', inDoubt: 'report' },
    { type: 'step-finished', stepId: `key:${secret}`, outcome: 'ran', value: { url: secret } },
    { type: 'step-finished', stepId: 'k', outcome: 'ran', value: 4_111_111_111_111_111 },
    { type: 'turn-continued', messages: [{ role: 'user', content: secret }] },
    {
      type: 'transcript-repaired',
      repairs: [{ rule: 'r', what: 'left out 1 image' }],
      edits: [{ from: 0, to: 1, insert: [{ role: 'user', content: secret }] }],
      standing: [],
    },
    { type: 'request-sent', model: 'm', attempt: 3 },
    {
      type: 'fault-observed',
      fault: { kind: 'transcript-invalid', status: 400, message: secret },
      decision: { kind: 'suspend', reason: `Gave up (400: ${secret}).` },
    },
    { type: 'session-suspended', reason: 'interrupted', detail: 'refused: sk-ant-api03-AbCd1234EfGh5678' },
  ])
  await session.close()
  const lines: string[] = []
  for await (const line of exportSession(store, 's', { clock, redact: true })) lines.push(line.slice(0, -1))
  expect(lines.join('\n')).not.toMatch(/the secret plan|secret-shop|AbCd1234|4111111111111111/)
  const { redacted } = await decodeExport(each(lines))
  expect(redacted).toBe(true)
  const entries = lines.slice(1, -1).map((line) => (JSON.parse(line) as { entry: Entry }).entry)
  expect(entries).toMatchObject([
    { cwd: '[21 characters]', owner: { host: expect.stringMatching(/^\[\d+ characters\]$/) } },
    { messages: [{ role: 'user', content: [{ type: 'text', text: '[15 characters]' }] }] },
    {
      envelope: {
        body: {
          model: 'm',
          max_tokens: 5,
          system: '[15 characters]',
          context_management: {
            edits: [
              {
                type: 'compact_20260112',
                trigger: { type: 'input_tokens', value: 100_000 },
                instructions: '[15 characters]',
              },
              { type: 'clear_tool_uses_20250919', keep: { type: 'tool_uses', value: 3 }, exclude_tools: ['run'] },
            ],
          },
          output_config: {
            effort: 'high',
            format: { type: 'json_schema', schema: expect.stringContaining('[object') },
          },
          tools: [{ name: 'run' }],
        },
        betas: ['b'],
      },
    },
    {},
    { fault: { kind: 'transcript-invalid', status: 400, message: '[52 characters]' }, decision: { rule: 'r' } },
    {},
    {
      message: { id: 'm1', usage: { input_tokens: 7 }, content: [{ type: 'thinking' }, {}, { id: 't1', name: 'run' }] },
    },
    {},
    { result: { tool_use_id: 't1', is_error: true, content: [{ type: 'text', text: '[15 characters]' }] } },
    { stepId: expect.stringMatching(/^key:[0-9a-f]{16}$/) },
    { value: expect.stringMatching(/^\[object, \d+ characters of JSON\]$/) },
    { value: '[number]' },
    {},
    { repairs: [{ what: 'left out 1 image' }] },
    {},
    { fault: { message: '[15 characters]' }, decision: { kind: 'suspend', reason: 'Gave up (400: [15 characters]).' } },
    { detail: 'refused: sk-ant-…[secret]' },
  ])
  const ids = entries.flatMap((entry) => (entry.type.startsWith('step-') ? [(entry as { stepId: string }).stepId] : []))
  expect(ids).toEqual([ids[0], ids[0], 'k'])
})

test('a message of the API goes from a reason, and no letter of a word besides', () => {
  const reasonOf = (message: string, reason: string) => {
    const body = {
      fault: { kind: 'request-rejected', status: 400, message },
      decision: { kind: 'fail', reason },
    } as const
    const entry: Entry = { type: 'fault-observed', ...body, v: 3, seq: 1, at: 1, fence: 1, lane: 'main' }
    return (redacted(entry) as { decision: { reason: string } }).decision.reason
  }
  expect(reasonOf('e', 'The API refused the request (400: e).')).toBe(
    'The API refused the request (400: [1 characters]).',
  )
  expect(reasonOf('a+b (c', 'a+b (c? Refused (400: a+b (c).')).toBe('[6 characters]? Refused (400: [6 characters]).')
})
