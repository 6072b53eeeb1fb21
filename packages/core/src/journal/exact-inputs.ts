/**
 * The inputs of calls as the model wrote them, where JavaScript makes another number of one: 9007199254740993, `1.0`,
 * `1e400`. A client in another language would read that number, so an answer that it gets from the record has it (P4).
 *
 * 1. They are beside the content, in a field of ours, by the id of the call, and only where a number would change. No
 *    request has them, and no answer either.
 */
import type { AssistantMessage, Block } from './journal.ts'
import { isRecord, without } from '../json.ts'

const field = 'lastgood_inputs'

type Inputs = Readonly<Record<string, string>>

const number = /-?\d[\d.eE+-]*/g
const isChanged = (token: string): boolean => String(Number(token)) !== token

/** Whether a number in this JSON would be another after it was read and written. */
export function losesNumbers(json: string): boolean {
  let loses = false
  mapNumbers(json, (token) => {
    loses ||= isChanged(token)
    return token
  })
  return loses
}

/** Strings are stepped over: an expression that matches them would exhaust the stack on a long one. */
function mapNumbers(json: string, change: (token: string) => string): string {
  const parts: string[] = []
  for (let at = 0; at < json.length;) {
    const quote = json.indexOf('"', at)
    const end = quote < 0 ? json.length : quote
    parts.push(json.slice(at, end).replaceAll(number, change))
    at = quote < 0 ? end : afterString(json, quote)
    parts.push(json.slice(end, at))
  }
  return parts.join('')
}

/** `from`: its opening quote. */
function afterString(json: string, from: number): number {
  for (let at = json.indexOf('"', from + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let slashes = 0
    while (json[at - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
  return json.length
}

/** `inputs`: JSON texts by the id of the call. */
export function withInputs(message: AssistantMessage, inputs: Inputs): AssistantMessage {
  return Object.keys(inputs).length > 0 ? { ...message, [field]: inputs } : message
}

/** The inputs in the JSON text of a whole answer that would lose numbers. */
export function inputsIn(text: string): Inputs {
  if (!losesNumbers(text)) return {}
  let mark = 'n'
  while (text.includes(mark)) mark += 'n'
  // Read as strings, the numbers pass unchanged.
  const marked = mapNumbers(text, (token) => (isChanged(token) ? `"${mark}${token}"` : token))
  const { content } = JSON.parse(marked) as { content?: unknown }
  const calls = (Array.isArray(content) ? content : []).flatMap((block: unknown) => {
    const input = isRecord(block) ? JSON.stringify(block['input']) : undefined
    return isRecord(block) && input?.includes(`"${mark}`) ? [[String(block['id']), input] as const] : []
  })
  const asWritten = (input: string) => input.replaceAll(new RegExp(`"${mark}([^"]*)"`, 'g'), '$1')
  return Object.fromEntries(calls.map(([id, input]) => [id, asWritten(input)]))
}

/** The JSON of a call's input. */
export function inputText(message: AssistantMessage, { id, input }: Block): string {
  const inputs = message[field]
  const exact = isRecord(inputs) ? inputs[String(id)] : undefined
  return typeof exact === 'string' ? exact : JSON.stringify(input)
}

/** As the API gave it: without the field of ours. */
export const asGiven = (message: AssistantMessage): AssistantMessage => without(message, [field])

/** The JSON of an answer, for a client. */
export function answerText(message: AssistantMessage): string {
  if (!(field in message)) return JSON.stringify(message)
  const blockText = (block: Block) =>
    objectText(block, (name, value) => (name === 'input' ? inputText(message, block) : JSON.stringify(value)))
  return objectText(asGiven(message), (name, value) =>
    name === 'content' ? `[${message.content.map(blockText).join(',')}]` : JSON.stringify(value),
  )
}

function objectText(record: object, valueText: (name: string, value: unknown) => string): string {
  const fields = Object.entries(record).map(([name, value]) => `${JSON.stringify(name)}:${valueText(name, value)}`)
  return `{${fields.join(',')}}`
}
