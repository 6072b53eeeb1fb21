/**
 * Answers an in-doubt tool call whose rule is `ask`: the flag decides, else the person at the terminal, one call after
 * the other. With neither, nobody answers, and the session is parked.
 */
import type { RunOptions } from '@lastgood/anthropic'
import type { SessionEvent } from '@lastgood/core'
import { callLabel } from '../call-label.ts'
import type { CliContext } from '../context.ts'
import { safeLine } from '../text.ts'

type OnInDoubt = NonNullable<RunOptions['onInDoubt']>
type Call = Parameters<OnInDoubt>[0]

export interface InDoubtOptions {
  inDoubt?: 'rerun' | 'report' | 'ask'
  json?: boolean
  jsonl?: boolean
  /** False: no question is asked. */
  input?: boolean
}

export function inDoubtAnswer(context: CliContext, options: InDoubtOptions): OnInDoubt | undefined {
  const { inDoubt, json, jsonl, input } = options
  if (inDoubt === 'rerun' || inDoubt === 'report') return async () => inDoubt
  const { stdin, stderr } = context
  if (!stdin.isTTY || !stderr.isTTY || !stdin.line || json || jsonl || input === false) return undefined
  let before: Promise<unknown> = Promise.resolve()
  return (call) => {
    const answer = before.then(() => asked(context, call))
    before = answer
    return answer
  }
}

/** The note about a call that was treated in another way than the flag says, because its tool has a rule of its own. */
export function otherThanAnswered({ inDoubt }: InDoubtOptions, event: SessionEvent): string | undefined {
  if (event.type !== 'in-doubt') return undefined
  const rule = event.did === 'rerun' ? 'rerun' : event.did === 'reported' ? 'report' : undefined
  if (rule === undefined || inDoubt === undefined || inDoubt === 'ask' || inDoubt === rule) return undefined
  const name = safeLine(event.name)
  return `note: --in-doubt ${inDoubt} does not count for ${name}: the rule of that tool is ${rule}, and only ask leaves it to you`
}

async function asked({ stdin, stderr }: CliContext, { name, input }: Call): ReturnType<OnInDoubt> {
  const label = callLabel(name, input, 60)
  stderr.write(`? ${label} was started, and its outcome is unknown. Check first; then\n`)
  for (;;) {
    stderr.write('  rerun (repeat it), report (tell the model it is unknown), or Enter (leave it open): ')
    const answer = (await stdin.line?.())?.trim().toLowerCase()
    // The end of input leaves the line open.
    if (answer === undefined) stderr.write('\n')
    if (answer === undefined || answer === '') return 'suspend'
    if (answer === 'rerun' || answer === 'report') return answer
  }
}
