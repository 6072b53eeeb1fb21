import { expect, it } from 'vitest'
import { Collector } from '../../test/context.ts'
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
