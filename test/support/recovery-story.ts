/**
 * The scenario that runs on every store: faults, a kill while a tool runs, a redeploy, a resume.
 *
 * The model counts to four. Call 3 has its effect and then never returns, so a process that is killed there leaves it
 * in doubt; the model is told so, looks (`peek`), sees that it was counted, and continues with 4.
 */
import {
  reply,
  story,
  text,
  thinking,
  toolResults,
  toolUse,
  type Conversation,
  type Outage,
} from '@lastgood/outage-lab'

export const task = 'Count to four with the tool, then say done.'

function results(conversation: Conversation, ...wanted: RegExp[]): void {
  const seen = toolResults(conversation).map((result) => result.text)
  const isAsWanted = seen.length === wanted.length && wanted.every((pattern, i) => pattern.test(seen[i] ?? ''))
  if (!isAsWanted) throw new Error(`story: tool results are ${JSON.stringify(seen)}`)
}

const inDoubt = /outcome is unknown/

export const recoveryStory = story([
  reply([thinking('I count first.'), text('Starting now.'), toolUse('count', { n: 1 })]),
  (conversation) => {
    results(conversation, /counted 1/)
    return reply([text('Two at once.'), toolUse('count', { n: 2 }), toolUse('count', { n: 3 })])
  },
  (conversation) => {
    results(conversation, /counted 1/, /counted 2/, inDoubt)
    return reply([thinking('Was 3 counted?'), toolUse('peek', {})])
  },
  (conversation) => {
    results(conversation, /counted 1/, /counted 2/, inDoubt, /^1,2,3$/)
    return reply([text('It was. Now 4.'), toolUse('count', { n: 4 })])
  },
  reply(text('done')),
])

const status = (n: number, code: number): Outage => ({ when: { request: n }, fault: { kind: 'status', status: code } })

/** Before and after the kill. Request 6 is the one that brings calls 2 and 3. */
export const recoveryOutages: Outage[] = [
  status(1, 500),
  status(2, 500),
  { when: { request: 4 }, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' } },
  { when: { request: 5 }, fault: { kind: 'cut', after: { inside: 'text' }, how: 'end' } },
  status(7, 529),
  { when: { request: 9 }, fault: { kind: 'cut', after: { before: 'message_delta' }, how: 'close' } },
]
