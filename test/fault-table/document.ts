/** docs/faults.md, made from the cases and the tables of the code. */
import { defaultPolicy, type FaultKind, type Rule } from '@lastgood/core'
import { formatDuration } from '../../packages/core/src/duration.ts'
import { errorPatterns } from '../../packages/core/src/faults/error-patterns.ts'
import { faultKinds } from '../../packages/core/src/faults/fault.ts'
import { faultCases, processCases } from './cases.ts'
import type { FaultCase, Verdict } from './fault-case.ts'
import { messages } from './messages.ts'
import { rows } from './rows.ts'

const introduction = `# What the API does, what lastgood does

Made by \`test/fault-table.test.ts\` from its cases: each line of a table is a test that plays the bytes of an answer to a real
session, with the client of the Anthropic SDK in front of it. \`npx vitest run test/fault-table.test.ts -u\` writes the page anew.

lastgood turns what went wrong into a kind, and each kind has one thing to do. What passes by itself is waited out. What can
be mended is mended and sent again. What needs a person parks the session, with everything in it, and an instant for the next
try. What would be refused again is told at once. The numbers are defaults: \`openSession(id, { policy: { rules } })\` changes
a row, the budgets hold for all of them ([recovery.md](recovery.md)).

In the column "what is done", "again in 0–2 s" is a wait drawn from that range, and "4 ×" is four failures in a row.`

const groups: readonly [title: string, action: Rule['action'], text: string][] = [
  ['Waited out', 'retry', 'The identical request is sent again, each wait drawn from a range that doubles.'],
  [
    'Mended',
    'repair',
    'The request is changed by one rule at a time, the gentlest first, and sent again at once. [repairs.md](repairs.md) has the rules.',
  ],
  ['Suspended', 'suspend', 'The session is parked; nothing is lost. `lastgood resume` goes on, or a next try does.'],
  ['Told at once', 'fail', "The same request would be refused again. The caller gets the API's own error."],
]

export function faultsPage(): string {
  const kinds = faultKinds
  return [
    introduction,
    ...groups.flatMap(([title, action, text]) => [
      `## ${title}`,
      text,
      ...kinds.filter((kind) => defaultPolicy.rules[kind].action === action).flatMap(sectionOf),
    ]),
    '## Answers that are no faults',
    'They came whole, and count as they are.',
    table(faultCases.filter((each) => each.expect.faults.length === 0).map(lineOf)),
    '## Processes and stores',
    'Not the API, but what is around it.',
    table(processCases.map(({ row, signal, done, claim }) => [row, signal, done, claim])),
    '## By message',
    'Where the API sends no code, its words decide between kinds: an example for each pattern, the kind, and a public source of the pattern. A status of `-` is no answer.',
    messageTable(),
    '## Rows',
    'The tests name what can happen by these numbers.',
    Object.entries(rows)
      .map(([row, title]) => `${row}. ${title}`)
      .join('\n'),
  ]
    .join('\n\n')
    .concat('\n')
}

function sectionOf(kind: FaultKind): string[] {
  const cases = faultCases.filter((each) => each.expect.faults.at(-1)?.kind === kind)
  return [`### ${kind}`, ruleInWords(defaultPolicy.rules[kind]), table(cases.map(lineOf))]
}

function ruleInWords(rule: Rule): string {
  const fallback = 'fallback' in rule ? rule.fallback : undefined
  const other =
    fallback &&
    `Another ${fallback.to} after ${failures(fallback.attempts)}${fallback.afterMs > 0 ? ` and ${time(fallback.afterMs)}` : ''}, where there is a ladder.`
  const words = [...(rule.action === 'retry' ? waits(rule) : [`${rule.reason}.`]), other]
  if ('resendFirst' in rule && rule.resendFirst)
    words.unshift('A first 401 is sent once more at once, with fresh credentials where there are any.')
  if (rule.action === 'suspend') words.push(`Next try after ${time(rule.probeMs)}.`)
  return words.filter((word) => word !== undefined).join(' ')
}

function waits({
  baseMs,
  capMs,
  minMs = 0,
  longCapMs,
  quickResends = 0,
  quickMs = 0,
  maxResends,
  exhausted,
}: Extract<Rule, { action: 'retry' }>) {
  const long =
    longCapMs === undefined ? '' : `, to ${time(longCapMs)} once it has lasted ${time(defaultPolicy.longOutageAfterMs)}`
  return [
    quickResends > 0 ? `${quickResends === 1 ? 'Once' : `${quickResends} times`} within ${quickMs} ms.` : undefined,
    `Up to ${time(baseMs)}, doubling to ${time(capMs)}${long}${minMs > 0 ? `; ${time(minMs)} on top` : ''}.`,
    maxResends === undefined ? undefined : `After ${maxResends} re-sends it is parked: ${exhausted ?? ''}.`,
  ]
}

const time = (ms: number) => (ms < 60_000 ? `${ms / 1_000} s` : formatDuration(ms))
const failures = (count: number) => (count === 1 ? 'the first failure' : `${count} failures`)

type Line = readonly [row: number, signal: string, done: string, claim: string]

function lineOf({ row, signal, claim, expect }: FaultCase): Line {
  return [row, signal, doneAbout(expect.faults) || 'counts', claim]
}

/** The verdicts in words; equal ones in a row as one. */
function doneAbout(verdicts: readonly Verdict[]): string {
  const runs: { words: string; count: number }[] = []
  for (const words of verdicts.map(verdictInWords)) {
    const last = runs.at(-1)
    if (last?.words === words) last.count += 1
    else runs.push({ words, count: 1 })
  }
  return runs.map(({ words, count }) => (count > 1 ? `${count} × ${words}` : words)).join(', then ')
}

function verdictInWords({ does, waitMs, rule }: Verdict): string {
  switch (does) {
    case 'retry':
      return `again in ${span(waitMs)}`
    case 'resend':
      return 'again at once'
    case 'keep-and-continue':
      return 'what is whole is kept'
    case 'fallback':
      return 'the next rung takes over'
    case 'repair':
      return `mended by \`${rule?.split(':')[0] ?? ''}\``
    case 'suspend':
      return waitMs ? `parked, next try after ${time(waitMs[0])}` : 'parked'
    case 'fail':
      return 'told'
  }
}

function span([from, to]: readonly [number, number] = [0, 0]): string {
  return `${from / 1_000}–${to / 1_000} s`
}

function table(lines: readonly Line[]): string {
  const cells = lines.map((line) => line.map((cell) => String(cell).replaceAll('|', '\\|')))
  return [
    '| row | signal | what is done | proof |',
    '|---|---|---|---|',
    ...cells.map((line) => `| ${line.join(' | ')} |`),
  ].join('\n')
}

/** A message with the first pattern that knows it. */
export const known = messages.map(([status, text]) => ({
  status,
  text,
  pattern: errorPatterns.find((one) => one.statuses.includes(status) && one.text.test(text)),
}))

function messageTable(): string {
  const lines = known.map(({ status, text, pattern }) => {
    const kind = pattern ? `[${pattern.kind}](#${pattern.kind})` : ''
    return `| ${text} | ${status === 0 ? '-' : status} | ${kind} | [source](${pattern?.source ?? ''}) |`
  })
  return ['| message | status | kind | source |', '|---|---|---|---|', ...lines].join('\n')
}
