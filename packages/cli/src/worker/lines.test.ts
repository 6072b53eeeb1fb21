import { expect, it } from 'vitest'
import { lineOf } from './lines.ts'

const of = { sessionId: 'fix-auth', agent: 'coder' }

it.each([
  [{ kind: 'submitted', ...of, turn: 2 }, 'fix-auth  turn 2 queued for coder'],
  [{ kind: 'started', ...of, turn: 2, starts: 1 }, 'fix-auth  turn 2 under way, coder'],
  [{ kind: 'started', ...of, turn: 2, starts: 3 }, 'fix-auth  turn 2 under way, coder, start 3'],
  [{ kind: 'ended', ...of, turn: 2 }, 'fix-auth  ✔ turn 2 is saved'],
  [
    { kind: 'waiting', ...of, until: 61_000, reason: '529\noverloaded\u001b[2J' },
    'fix-auth  waits for 1m01s: 529 overloaded␛[2J',
  ],
  [{ kind: 'suspended', ...of, reason: 'the key is refused' }, 'fix-auth  suspended: the key is refused'],
  [{ kind: 'suspended', ...of, until: 60_000, reason: 'a limit.' }, 'fix-auth  suspended: a limit; continues in 1m00s'],
  [{ kind: 'handed-over', ...of }, 'fix-auth  handed over to another worker'],
  [{ kind: 'lost', ...of }, 'fix-auth  has another writer now'],
  [{ kind: 'failed', ...of, code: 'unknown', againInMs: 2_000 }, 'fix-auth  its agent failed (unknown); again in 2s'],
  [
    { kind: 'set-aside', ...of, starts: 4 },
    'fix-auth  set aside after 4 starts that did not finish: lastgood resume fix-auth',
  ],
  [
    { kind: 'unreadable', sessionId: 'fix-auth', code: 'journal-version' },
    'fix-auth  cannot be read here (journal-version): lastgood show fix-auth',
  ],
  [
    { kind: 'trouble', where: 'queue', code: 'store-unavailable', message: 'no answer' },
    'queue: no answer (store-unavailable); trying again',
  ],
  [
    { kind: 'trouble', where: 'queue', code: 'store-unavailable', message: 'no answer', hint: 'look\nthere' },
    'queue: no answer (store-unavailable); trying again; next: look there',
  ],
  [{ kind: 'trouble-over', where: 'queue' }, 'queue: working again'],
] as const)('%o is one line for people', (event, line) => {
  expect(lineOf(event, 0)).toBe(line)
})
