/**
 * Says of the entries that a journal has most of that they are sound, at a small part of what the schemas cost: a long
 * session is opened by reading all of it. `true` is a promise, and holds for no value that the schema of its kind refuses;
 * `false` says nothing, and the schema decides. Pure.
 */
import { isRecord } from './json.ts'

type Field = readonly [isSound: (value: unknown) => boolean, isOptional?: true]
type Fields = Readonly<Record<string, Field>>

const isText = (value: unknown): boolean => typeof value === 'string'
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value)
const isNumber = (value: unknown): boolean => Number.isFinite(value)
const isBlock = (value: unknown): boolean => isRecord(value) && typeof value['type'] === 'string'
const areBlocks = (value: unknown): boolean => Array.isArray(value) && value.every(isBlock)
const isMessage = (value: unknown): boolean =>
  isRecord(value) && typeof value['role'] === 'string' && (isText(value['content']) || areBlocks(value['content']))
const areMessages = (value: unknown): boolean => Array.isArray(value) && value.every(isMessage)
const isAnswer = (value: unknown): boolean =>
  isRecord(value) &&
  value['role'] === 'assistant' &&
  isText(value['id']) &&
  isText(value['model']) &&
  (value['stop_reason'] === null || isText(value['stop_reason'])) &&
  (value['usage'] === undefined || isRecord(value['usage'])) &&
  areBlocks(value['content'])
const isOneOf =
  (...words: readonly string[]) =>
  (value: unknown): boolean =>
    words.some((word) => word === value)

const kinds: ReadonlyMap<unknown, Fields> = new Map<string, Fields>([
  ['turn-started', { turn: [isWhole], agent: [isText, true], messages: [areMessages] }],
  ['turn-continued', { messages: [areMessages] }],
  ['request-sent', { model: [isText], attempt: [isWhole] }],
  ['response-received', { message: [isAnswer], requestId: [isText, true] }],
  ['tool-started', { toolUseId: [isText], name: [isText], inDoubt: [isOneOf('rerun', 'report', 'ask')] }],
  ['tool-finished', { toolUseId: [isText], result: [isBlock], outcome: [isOneOf('ran', 'in-doubt', 'refused')] }],
  ['turn-ended', { turn: [isWhole] }],
])

/** Of the stamp, and the kind. */
const stampFields = 6

/** Whether `value` is surely an entry of version `v`. */
export function isSurelyEntry(value: unknown, v: number): boolean {
  if (!isRecord(value)) return false
  const { seq, fence } = value
  const isStamped =
    value['v'] === v &&
    value['lane'] === 'main' &&
    isNumber(value['at']) &&
    Number.isSafeInteger(seq) &&
    Number(seq) >= 1 &&
    Number.isSafeInteger(fence) &&
    Number(fence) >= 1
  const fields = kinds.get(value['type'])
  return isStamped && fields !== undefined && hasJust(value, fields)
}

/** The fields that it has to have, sound, and none that is not its kind's or the stamp's. */
function hasJust(value: Readonly<Record<string, unknown>>, fields: Fields): boolean {
  let known = stampFields
  for (const name in fields) {
    const [isSound, isOptional] = fields[name] as Field
    const there = Object.hasOwn(value, name)
    if (there ? !isSound(value[name]) : !isOptional) return false
    if (there) known += 1
  }
  return Object.keys(value).length === known
}
