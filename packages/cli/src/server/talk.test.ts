import type { Entry } from '@lastgood/core'
import { expect, test } from 'vitest'
import { Collector } from '../../test/context.ts'
import type { Warning } from '../context.ts'
import { Survived } from '../live/survived.ts'
import { logFormatOf, talkOf } from './talk.ts'

test('the flag comes before the environment, and text is the default', () => {
  expect(logFormatOf(undefined, {})).toBe('text')
  expect(logFormatOf(undefined, { LASTGOOD_LOG: 'json' })).toBe('json')
  expect(logFormatOf('text', { LASTGOOD_LOG: 'json' })).toBe('text')
  expect(() => logFormatOf(undefined, { LASTGOOD_LOG: 'xml' })).toThrow('LASTGOOD_LOG must be text or json')
})

test('where only the sum is told, no line comes before it', async () => {
  const stderr = new Collector()
  const argv = ['gateway', '--store', 'redis://:hunter2@127.0.0.1']
  const talk = await talkOf('text', { stderr, argv, onWarning: () => {} }, 'the sum')
  const fault = { kind: 'overloaded', status: 529 } as const
  const seen = { v: 3, seq: 2, at: 0, fence: 1, lane: 'main' } as const
  talk.heard.onEvent?.('ses', {
    type: 'entry',
    entry: { ...seen, type: 'fault-observed', fault, decision: { kind: 'retry', at: 1 } },
  })
  talk.tell('listening', {}, ['gateway  http://127.0.0.1'])
  expect(stderr.text).toBe('')
  talk.sumUp()
  expect(stderr.text).toBe(
    '0 answers in 1 session; 1 fault, 0 answers recovered\n  lastgood show ses --store redis://127.0.0.1\n',
  )
})

test('of many sessions the last ones are named, and how the others are found', async () => {
  const [text, json] = [new Collector(), new Collector()]
  for (const [format, stderr] of [['text', text] as const, ['json', json] as const]) {
    const talk = await talkOf(format, { stderr, argv: ['gateway', '--store', 'state'], onWarning: () => {} })
    const entry = { v: 3, seq: 2, at: 0, fence: 1, lane: 'main', type: 'turn-ended', turn: 1 } as const
    for (let n = 0; n < 30; n += 1) talk.heard.onEvent?.(`s${n}`, { type: 'entry', entry })
    talk.heard.onEvent?.('s0', { type: 'entry', entry })
    talk.sumUp()
  }
  const lines = text.text.trimEnd().split('\n')
  expect(lines).toHaveLength(22)
  expect([lines[0], lines[1], ...lines.slice(-2)]).toEqual([
    '0 answers in 30 sessions; nothing failed',
    '  lastgood show s11 --store state',
    '  lastgood show s0 --store state',
    '  lastgood list --all --store state  # 10 more',
  ])
  expect((JSON.parse(json.text) as { sessions: string[] }).sessions).toHaveLength(20)
})

test('of sessions without end it remembers the last ten thousand, and their number is about right', async () => {
  const survived = new Survived(() => {})
  const entry = { v: 3, seq: 2, at: 0, fence: 1, lane: 'main', type: 'turn-ended', turn: 1 } as const
  for (let n = 0; n < 30_000; n += 1) survived.take(`s${n}`, { type: 'entry', entry })
  survived.take('s29998', { type: 'entry', entry })
  expect(survived.sum).toBe('0 answers in about 30000 sessions; nothing failed')
  expect(survived.last(2)).toEqual(['s29999', 's29998'])
  expect(survived.last(Infinity)).toHaveLength(10_000)
})

test('a session that is forgotten is forgotten with its outage: its memory does not grow with those that nobody answers', () => {
  const survived = new Survived(() => {})
  const [fault, decision] = [{ kind: 'overloaded' }, { kind: 'retry', at: 1 }] as const
  const seen = { v: 3, seq: 2, at: 0, fence: 1, lane: 'main' } as const
  const failed = { ...seen, type: 'fault-observed', fault, decision } as const
  for (let n = 0; n < 10_001; n += 1) survived.take(`s${n}`, { type: 'entry', entry: failed })
  const message = { id: 'm', role: 'assistant' as const, model: 'm', content: [], stop_reason: null }
  const answered: Entry = { ...seen, type: 'response-received', message }
  for (const id of ['s0', 's10000']) survived.take(id, { type: 'entry', entry: answered })
  expect(survived.sum).toBe('2 answers in about 10002 sessions; 10001 faults, 1 answer recovered')
})

test('text is for people, json is one object a line, warnings of the process too, and each says the same once', async () => {
  const [text, json] = [new Collector(), new Collector()]
  const secret = 'sk-ant-api03-0123456789abcdefghijklmnop'
  for (const [format, stderr] of [['text', text] as const, ['json', json] as const]) {
    let warn: (warning: Warning) => void = () => {}
    const talk = await talkOf(format, { stderr, argv: [], onWarning: (listener) => void (warn = listener) })
    talk.tell('ready', { event: 'ready', url: `http://127.0.0.1/?key=${secret}` }, ['use it   http://127.0.0.1'])
    warn({ name: 'Warning', message: `a listener failed: ${secret}`, code: 'LASTGOOD_LISTENER' })
    talk.sumUp()
  }
  expect(text.text).toBe('use it   http://127.0.0.1\nno conversation came through here\n')
  const lines = json.text.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'info', name: 'lastgood', event: 'ready', msg: 'ready' },
    { level: 'warn', event: 'warning', kind: 'Warning', code: 'LASTGOOD_LISTENER' },
    { level: 'info', event: 'stopped', msg: 'stopped: no conversation came through here', sessions: [] },
  ])
  expect(json.text).not.toContain(secret)
})

test('what a rule was applied with is text, and obeyed by no terminal', async () => {
  const stderr = new Collector()
  const { heard } = await talkOf('text', { stderr, argv: [], onWarning: () => {} })
  const rule = 'drop-container:c\u001b]0;title\u0007\u001b[2J'
  const seen = { v: 3, seq: 2, at: 0, fence: 1, lane: 'main' } as const
  const entries: Entry[] = [
    {
      ...seen,
      type: 'fault-observed',
      fault: { kind: 'params-incompatible', status: 400 },
      decision: { kind: 'repair', rule },
    },
    { ...seen, type: 'transcript-repaired', repairs: [{ rule, what: 'left out' }], edits: [], standing: [] },
  ]
  for (const entry of entries) heard.onEvent?.('ses', { type: 'entry', entry })
  expect(stderr.text).toContain('repairing by drop-container:c␛]0;title␇␛[2J\n')
  expect(stderr.text).toContain('repaired: drop-container:c␛]0;title␇␛[2J\n')
})
