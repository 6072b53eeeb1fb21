/**
 * An answer that came in the form that was not asked for, a message for a stream or a stream for a message, as some
 * gateways send it. It was paid for, so it is the answer.
 */
import { isRecord } from '../json.ts'
import type { AssistantMessage } from '../journal/journal.ts'
import { answerText } from '../journal/exact-inputs.ts'
import { messageIn } from '../journal/answer.ts'
import { Assembler } from './assembler.ts'
import { contentTypeOf } from './attempt.ts'
import { replayed } from './replay.ts'
import { eventsIn } from './sse.ts'

export type AnswerForm = 'stream' | 'message'

const typeOf = { stream: 'text/event-stream', message: 'application/json' } as const

/** Goes by the content type; a stream may come without one, or with a wrong one, as the SDK accepts. A 204 has no body. */
export function hasForm(form: AnswerForm, { headers, body }: Response): boolean {
  if (!body) return false
  const type = contentTypeOf(headers)
  return form === 'stream' ? !/\b(json|html)\b/i.test(type) : !type.includes('text/event-stream')
}

/** The whole message in a body of events. */
export function messageInEvents(text: string): AssistantMessage | undefined {
  const assembler = new Assembler()
  try {
    for (const { data } of eventsIn(text)) {
      const said: unknown = data === '' ? undefined : JSON.parse(data)
      if (isRecord(said)) assembler.take(said)
    }
  } catch {
    return undefined
  }
  return assembler.isComplete ? messageIn(JSON.stringify(assembler.message())) : undefined
}

export function inForm(form: AnswerForm, { status, headers }: Response, message: AssistantMessage): Response {
  const body = form === 'stream' ? [...replayed(message)].join('') : answerText(message)
  const answer = new Response(body, { status, headers })
  nameForm(form, answer)
  return answer
}

/** Whatever passes it on goes by its content type. */
export function nameForm(form: AnswerForm, { headers }: Response): void {
  if (!contentTypeOf(headers).includes(typeOf[form])) headers.set('content-type', typeOf[form])
}
