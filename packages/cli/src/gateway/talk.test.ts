import { expect, test } from 'vitest'
import { Collector } from '../../test/context.ts'
import { logFormatOf, talkOf } from './talk.ts'

test('the flag comes before the environment, and text is the default', () => {
  expect(logFormatOf(undefined, {})).toBe('text')
  expect(logFormatOf(undefined, { LASTGOOD_LOG: 'json' })).toBe('json')
  expect(logFormatOf('text', { LASTGOOD_LOG: 'json' })).toBe('text')
  expect(() => logFormatOf(undefined, { LASTGOOD_LOG: 'xml' })).toThrow('LASTGOOD_LOG must be text or json')
})

test('text is for people, json is one object a line, and each says the same once', async () => {
  const [text, json] = [new Collector(), new Collector()]
  const secret = 'sk-ant-api03-0123456789abcdefghijklmnop'
  for (const [format, stderr] of [['text', text] as const, ['json', json] as const]) {
    const talk = await talkOf(format, { stderr })
    talk.tell('ready', { event: 'ready', url: `http://127.0.0.1/?key=${secret}` }, ['use it   http://127.0.0.1'])
    talk.sumUp()
  }
  expect(text.text).toBe('use it   http://127.0.0.1\n0 answers in 0 sessions; nothing failed\n')
  const lines = json.text.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'info', name: 'lastgood', event: 'ready', msg: 'ready' },
    { level: 'info', event: 'stopped', msg: 'stopped: 0 answers in 0 sessions; nothing failed', sessions: [] },
  ])
  expect(json.text).not.toContain(secret)
})
