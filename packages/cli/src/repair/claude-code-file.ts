/**
 * Repair of a Claude Code session file: its conversation is read as messages and mended by core's rules, and the mends
 * are put back into the lines that they came from.
 *
 * 1. The result was checked again: everything that was mended is read from it, and needs no further repair.
 */
import {
  blocksOf,
  repairTranscript,
  type Block,
  type Message,
  type RepairedTranscript,
  type RepairNote,
} from '@lastgood/core'
import { conversationOf, isSpoken, linesOf, straightened, type Line, type Spoken } from './claude-code-lines.ts'
import { written, type Group, type Part } from './claude-code-written.ts'

export interface MendedFile {
  readonly before: readonly Message[]
  readonly after: readonly Message[]
  readonly repairs: readonly RepairNote[]
  /** What the file should hold; undefined when there is nothing to do, or it cannot be mended. */
  readonly bytes?: Buffer
  readonly unrepairable?: string
}

/** Undefined when the file is not of this form. */
export function mendClaudeCodeFile(file: Buffer, newId: () => string): MendedFile | undefined {
  const lines = linesOf(file)
  if (!lines.some(isSpoken)) return undefined
  const mended = mendedFrom(lines, newId)
  if (mended.unrepairable !== unheld) return mended
  // What is beside the path is found only as a result, and only by its answer: a mend may take either from it.
  const straight = mendedFrom(straightened(lines), newId)
  return saidIn(straight.before) === saidIn(mended.before) ? straight : mended
}

const unheld = 'a Claude Code file cannot hold all the repairs'

function mendedFrom(lines: readonly Line[], newId: () => string): MendedFile {
  const { groups, mended } = lookAt(lines)
  const before = groups.map(({ message }) => message)
  const unrepairable = (what: string): MendedFile => ({ before, after: before, repairs: [], unrepairable: what })
  if (mended.unrepairable) return unrepairable(mended.unrepairable.what)
  if (mended.repairs.length === 0) return { before, after: before, repairs: [] }
  let { messages: after } = mended
  let repairs: RepairNote[] = [...mended.repairs]
  let bytes = Buffer.concat(written(lines, groups, after, newId))
  for (let round = 0; round < mostRounds; round += 1) {
    const again = linesOf(bytes)
    const second = lookAt(again)
    if (saidIn(second.groups.map(({ message }) => message)) !== saidIn(after)) return unrepairable(unheld)
    if (second.mended.repairs.length === 0) return { before, after, repairs, bytes }
    after = second.mended.messages
    // Their indexes refer to an intermediate file that nobody has seen.
    repairs = [...repairs, ...second.mended.repairs.map(({ message: _place, ...one }) => one)]
    bytes = Buffer.concat(written(again, second.groups, after, newId))
  }
  return unrepairable('what would be written needs repair again')
}

/** Moving a result to its call may separate the lines of a two-line answer: the next round mends that. */
const mostRounds = 4

/** Everything that is said, however it is divided into messages. */
const saidIn = (messages: readonly Message[]): string =>
  JSON.stringify(messages.flatMap((message) => blocksOf(message).map((block) => [message.role, block])))

function lookAt(lines: readonly Line[]): { groups: Group[]; mended: RepairedTranscript } {
  const spoken = conversationOf(lines)
  const groups = groupsOf(spoken)
  const models = spoken.flatMap(({ value }) => (value.type === 'assistant' ? [value.message['model']] : []))
  // Messages that the client made itself have no model: `<synthetic>`.
  const model = models.findLast((name) => typeof name === 'string' && !name.startsWith('<'))
  const messages = groups.map(({ message }) => message)
  return { groups, mended: repairTranscript({ messages, ...(typeof model === 'string' && { model }) }) }
}

/** Messages as the client sends them: the lines of one answer are one message, and so are consecutive user lines. */
function groupsOf(spoken: readonly Spoken[]): Group[] {
  const groups: Part[][] = []
  for (const line of spoken) {
    const part: Part = { line, blocks: blocksOf(line.value.message) }
    const home = homeOf(groups, line)
    if (home) home.push(part)
    else groups.push([part])
  }
  return groups.map((parts) => {
    const { role, content } = (parts[0] as Part).line.value.message
    const blocks = parts.flatMap((part) => part.blocks)
    return { parts, message: { role, content: parts.length === 1 && typeof content === 'string' ? content : blocks } }
  })
}

/** Where calls finished quickly, an answer's next call may stand behind the results of earlier ones. */
function homeOf(groups: readonly Part[][], { value }: Spoken): Part[] | undefined {
  const last = groups.at(-1)
  const roleOf = (parts: readonly Part[] | undefined) => parts?.[0]?.line.value.message.role
  if (value.message.role === 'user') return roleOf(last) === 'user' ? last : undefined
  const id = value.message['id']
  if (typeof id !== 'string') return undefined
  const isOurs = (parts: readonly Part[] | undefined) =>
    roleOf(parts) === value.message.role && parts?.[0]?.line.value.message['id'] === id
  if (isOurs(last)) return last
  const before = groups.at(-2)
  const isOfResults = roleOf(last) === 'user' && last?.every(({ blocks }) => blocks.every(isResult))
  return isOfResults && isOurs(before) ? before : undefined
}

const isResult = ({ type }: Block): boolean => type === 'tool_result'
