import type { EntryBody } from '@lastgood/core'
import { entry } from '@lastgood/core/testing'
import { expect, test } from 'vitest'
import { moments } from './moments.ts'

const begins = (turn: number): EntryBody => ({
  type: 'turn-started',
  turn,
  messages: [{ role: 'user', content: 'Go' }],
})
const goesTo = (model: string, rung = 1): EntryBody => ({ type: 'rung-changed', rung, model, reason: '529 overloaded' })
const says = (model: string): EntryBody => ({
  type: 'response-received',
  message: { id: 'm', role: 'assistant', model, content: [{ type: 'text', text: 'x' }], stop_reason: 'end_turn' },
})

const cases: [what: string, bodies: EntryBody[], told: string[]][] = [
  ['nothing of a turn that one model has', [begins(1), says('a'), begins(2), says('a')], []],
  ['nothing of a model that has not answered', [begins(1), goesTo('b')], []],
  [
    'who takes a turn, once, and who takes the next one back',
    [begins(1), goesTo('b'), says('b'), says('b'), begins(2), says('a'), begins(3), says('a')],
    ['2 ⇄ 529 overloaded: b takes the turn', '5 ↑ a takes back the next turn'],
  ],
  [
    'the model that answers in the end, where two took over',
    [begins(1), goesTo('b'), goesTo('c', 2), says('c')],
    ['3 ⇄ 529 overloaded: c takes the turn'],
  ],
  [
    'of a model that stays away nothing but that it does',
    [begins(1), goesTo('b'), says('b'), begins(2), goesTo('b'), says('b')],
    ['2 ⇄ 529 overloaded: b takes the turn', '5 ⇄ 529 overloaded: b takes the turn'],
  ],
  [
    'what was mended, and after which refusal',
    [
      {
        type: 'fault-observed',
        fault: { kind: 'image-rejected', status: 400 },
        decision: { kind: 'repair', rule: 'remove-images' },
      },
      says('a'),
      {
        type: 'transcript-repaired',
        repairs: [{ rule: 'remove-images', what: 'left out 1 image' }],
        edits: [],
        standing: [],
      },
    ],
    ['3 ✚ 400 image-rejected: left out 1 image; sent again, and accepted'],
  ],
]

test.each(cases)('moments tell %s', (_what, bodies, told) => {
  const tell = moments()
  const found = bodies.flatMap((body, i) => tell({ ...entry(i + 1, 1, body), at: i + 1 }))
  expect(found.map(({ at, mark, words }) => `${at} ${mark} ${words}`)).toEqual(told)
})
