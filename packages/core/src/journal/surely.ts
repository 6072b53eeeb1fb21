/**
 * Hand-written checks for the records that are read most, at a fraction of what their schemas cost: building the
 * schemas alone takes longer than opening a session. `true` is a promise that the schema accepts the value; `false`
 * says nothing, and the schema decides. Pure.
 */
import { isRecord } from '../json.ts'

export type Check = (value: unknown) => boolean
export type Field = readonly [isSound: Check, isOptional?: true]
export type Fields = Readonly<Record<string, Field>>

export const isText: Check = (value) => typeof value === 'string'
export const isNumber: Check = (value) => Number.isFinite(value)
export const isWhole: Check = (value) => Number.isSafeInteger(value)
export const isTrue: Check = (value) => value === true
/** Not with `every`, which skips holes. */
const areAll =
  (isSound: Check): Check =>
  (value) =>
    Array.isArray(value) && value.findIndex((one) => !isSound(one)) < 0
export const areTexts = areAll(isText)
export const isWholeFrom =
  (least: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= least
export const isOneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value)

type Block = { type: string; [field: string]: unknown }
export const isBlock = (value: unknown): value is Block => isRecord(value) && typeof value['type'] === 'string'
const areSound = areAll(isBlock)
export const areBlocks = (value: unknown): value is Block[] => areSound(value)
const isMessage: Check = (value) =>
  isRecord(value) && typeof value['role'] === 'string' && (isText(value['content']) || areBlocks(value['content']))
export const areMessages = areAll(isMessage)

/** Whether `value` has the required `fields`, all sound, and just `others` more, which the caller has checked. */
export function hasJust(value: unknown, fields: Fields, others = 0): boolean {
  if (!isRecord(value)) return false
  let known = others
  for (const name in fields) {
    const [isSound, isOptional] = fields[name] as Field
    const there = Object.hasOwn(value, name)
    if (there ? !isSound(value[name]) : !isOptional) return false
    if (there) known += 1
  }
  return Object.keys(value).length === known
}

export const isOwner: Check = (value) => hasJust(value, ownerFields)
const ownerFields: Fields = { id: [isText], host: [isText], realm: [isText], pid: [isNumber] }
