/**
 * What the agents of the campaign work on: turns of a few items, each item one effect that must happen exactly once.
 *
 * 1. The model is a pure function of the conversation, so every process that continues it gets the same answers.
 * 2. A call of unknown outcome is followed by a look at what is done, before anything is called again.
 */
import {
  reply,
  text,
  thinking,
  toolUse,
  userTurns,
  type Block,
  type Conversation,
  type Outage,
} from '@lastgood/outage-lab'

const turns = 3
const itemsOfTurn = 5

export const tasks = Array.from({ length: turns }, (_, i) => `Items ${i * itemsOfTurn + 1} to ${(i + 1) * itemsOfTurn}`)
export const allItems = Array.from({ length: turns * itemsOfTurn }, (_, i) => i + 1)

/** The answer that ends the turn of a task. */
export const answerTo = (task: string): string => `Done: ${task}`

export function model(conversation: Conversation) {
  const task = userTurns(conversation).at(-1) ?? ''
  const [first = 0, last = 0] = Array.from(task.matchAll(/\d+/g), Number)
  const { done, needsLook } = seenIn(conversation)
  if (needsLook) return reply([thinking('What of that was done?'), toolUse('look')])
  const missing = allItems.filter((item) => item >= first && item <= last && !done.has(item))
  if (missing.length === 0) return reply([thinking('All there.'), text(answerTo(task))])
  const calls = missing.slice(0, 3).map((item) => toolUse(item % 3 === 0 ? 'deploy' : 'write', { item }))
  return reply([
    thinking(`${missing.length} are left.`),
    text('Going on with the next ones.'),
    ...calls,
    toolUse('look'),
  ])
}

/** The items that results report, and whether an unknown outcome still has to be looked into. */
function seenIn({ messages }: Conversation): { done: ReadonlySet<number>; needsLook: boolean } {
  const done = new Set<number>()
  let needsLook = false
  for (const { content } of messages) {
    const results = content.filter((block) => block.type === 'tool_result')
    const texts = results.map(textOf)
    for (const said of texts) for (const item of said.matchAll(/\d+/g)) if (isTold(said)) done.add(Number(item[0]))
    if (texts.some((said) => said.includes('outcome is unknown'))) needsLook = true
    else if (texts.some((said) => said.startsWith('there:'))) needsLook = false
  }
  return { done, needsLook }
}

const isTold = (said: string) => /^(did|there:)/.test(said)

function textOf({ content }: Block): string {
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map((block: { text?: string }) => block.text ?? '').join('') : ''
}

/** About one request in eight fails: at once, before anything is whole, or after a whole call. */
export const outages: readonly Outage[] = [
  {
    when: { requests: [1, Infinity], rate: 0.13 },
    fault: {
      oneOf: [
        { weight: 2, fault: { kind: 'status', status: 500 } },
        { weight: 2, fault: { kind: 'status', status: 529 } },
        { weight: 1, fault: { kind: 'reset', at: 'before-headers' } },
        { weight: 1, fault: { kind: 'cut', after: { inside: 'thinking' }, how: 'reset' } },
        { weight: 2, fault: { kind: 'cut', after: { inside: 'tool_use' }, how: 'reset' } },
        { weight: 2, fault: { kind: 'cut', after: { afterBlock: 2 }, how: 'end' } },
      ],
    },
  },
]
