/** The session machine as a Mermaid state diagram, read from the machine itself. */
import { sessionMachine } from '@lastgood/core/machine'

type Target = readonly { readonly key: string }[] | undefined

/** Entry actions written by name come as the name. */
const entryName = (action: unknown) => (typeof action === 'string' ? action : (action as { type: string }).type)

/** Transitions of one state node, grouped by where they lead. */
function arrows(
  from: string,
  transitions: Iterable<{ target?: Target; guard?: unknown; eventType: string }>,
): string[] {
  const labels = new Map<string, string[]>()
  for (const { target, guard, eventType } of transitions) {
    const to = target?.[0]?.key ?? from
    const event = eventType === '' ? 'else' : eventType
    const label = typeof guard === 'string' ? (eventType === '' ? `[${guard}]` : `${event} [${guard}]`) : event
    labels.set(to, [...(labels.get(to) ?? []), label])
  }
  return [...labels].map(([to, events]) => `  ${from} --> ${to}: ${events.join('<br>')}`)
}

export function machineDiagram(): string {
  const { root } = sessionMachine
  const lines = Object.values(root.states).flatMap((node) => [
    ...node.entry.map((action) => `  ${node.key}: ${node.key}<br><i>owes ${entryName(action)}</i>`),
    ...arrows(node.key, [...(node.always ?? []), ...[...node.transitions.values()].flat()]),
  ])
  const anywhere = arrows('anywhere', [...root.transitions.values()].flat())
  return [
    '# The session machine',
    '',
    'Generated from `packages/core/src/machine/machine.ts`; a test compares this page with it, and `npx vitest run test/machine-diagram.test.ts -u` draws it again.',
    'Events are journal entries. In italics: the one effect that the session owes while it is in the state.',
    '',
    '```mermaid',
    'stateDiagram-v2',
    `  [*] --> ${root.initial.target[0]?.key ?? ''}`,
    ...lines,
    '```',
    '',
    'From every state, unless the state itself handles the event:',
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...anywhere,
    '```',
    '',
  ].join('\n')
}
