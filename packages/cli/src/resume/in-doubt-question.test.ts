import { expect, it } from 'vitest'
import { answered, Collector, project, run, seed, sent, started } from '../../test/context.ts'
import type { CliContext } from '../context.ts'
import { inDoubtAnswer } from './in-doubt-question.ts'

/** A person who types these lines, and then ends the input. */
function person(...lines: string[]) {
  const stderr = Object.assign(new Collector(), { isTTY: true })
  const stdin = { isTTY: true, line: async () => lines.shift() }
  return { context: { stdin, stderr } as unknown as CliContext, stderr }
}

const call = (name: string) => ({ toolUseId: name, name, input: { to: 'prod' } })

it('the flag answers, and nobody is asked', async () => {
  const { context, stderr } = person()
  expect(await inDoubtAnswer(context, { inDoubt: 'rerun' })?.(call('deploy'))).toBe('rerun')
  expect(stderr.text).toBe('')
})

it('calls are asked about one after the other, until what is typed is an answer; the end of the input leaves a call open', async () => {
  const { context, stderr } = person('yes', 'Rerun ', 'report')
  const answer = inDoubtAnswer(context, {})!
  const answers = await Promise.all(['one', 'two', 'three'].map((name) => answer(call(name))))
  expect(answers).toEqual(['rerun', 'report', 'suspend'])
  expect(stderr.text.match(/\? \w+ prod was started, and/g)).toHaveLength(3)
  expect(stderr.text.match(/leave it open\): /g)).toHaveLength(4)
})

it.each([{ json: true }, { jsonl: true }, { input: false }])(
  'nobody is asked with %j, or without a terminal',
  (options) => {
    const { context } = person()
    expect(inDoubtAnswer(context, options)).toBeUndefined()
    expect(inDoubtAnswer({ ...context, stdin: { ...context.stdin, isTTY: false } }, {})).toBeUndefined()
  },
)

it.each([
  ['report', 'rerun', 'rerun does not count for deploy: the rule of that tool is report'],
  ['rerun', 'report', 'report does not count for deploy: the rule of that tool is rerun'],
  ['report', 'report', undefined],
  ['ask', 'rerun', undefined],
])('a tool of the rule %s is told where --in-doubt %s does not count', async (rule, flag, note) => {
  const agent = `coder: { name: 'coder', async run(session, input, options) {
    const { runToolCalls } = await import('${import.meta.resolve('@lastgood/core')}')
    const result = ({ toolUseId }) => ({ type: 'tool_result', tool_use_id: toolUseId, content: 'ok' })
    await runToolCalls(session, { find: () => ({ inDoubt: '${rule}', run: async (_, call) => result(call) }), ...options })
    const message = { id: 'm9', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'Done.' }], stop_reason: 'end_turn' }
    await session.record([{ type: 'request-sent', model: 'm', attempt: 1 }, { type: 'response-received', message }, { type: 'turn-ended', turn: 1 }])
    return { turn: 1, text: 'Done.', content: [] }
  } }`
  const { cwd, store } = project(agent)
  const calls = answered('Deploying.', { id: 't1', name: 'deploy', input: { to: 'prod' } })
  await seed(store, 's', [
    started(1),
    sent(),
    calls,
    { type: 'tool-started', toolUseId: 't1', name: 'deploy', inDoubt: 'report' },
  ])
  const { code, stderr } = await run(['resume', 's', '--in-doubt', flag], { cwd })
  expect(code).toBe(0)
  expect(/note: --in-doubt (.*), and only ask leaves it to you/.exec(stderr)?.[1]).toBe(note)
})
