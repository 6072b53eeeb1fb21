/**
 * What a repair changes, as a difference by turn, for people and for programs. Pure.
 *
 * 1. Each piece of content is quoted in one short line, as `show` does.
 */
import { blocksOf, type Block, type Edit, type Message, type RepairNote } from '@lastgood/core'
import { inputLabel } from '../call-label.ts'
import type { Palette } from '../terminal.ts'
import { shorten } from '../text.ts'

/** What is changed in one place. */
export interface Change {
  /** 0: before the first turn. */
  readonly turn: number
  /** Index of the first message concerned. */
  readonly message: number
  /** Null where a new message is put. */
  readonly role: string | null
  readonly rules: readonly { readonly rule: string; readonly what: string }[]
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

export interface Changes {
  readonly changes: readonly Change[]
  /** What is changed in the request or the transcript as a whole. */
  readonly whole: readonly { readonly rule: string; readonly what: string }[]
}

export function changesOf(
  messages: readonly Message[],
  edits: readonly Edit[],
  repairs: readonly RepairNote[],
  turnOf: (message: number) => number,
): Changes {
  const placed = repairs.filter(({ message }) => message !== undefined)
  const told = new Set<RepairNote>()
  const changes = edits
    .flatMap((edit) => oneByOne(edit, messages))
    .map((edit): Change => {
      const { from, to, insert } = edit
      const own = placed.filter((note) => !told.has(note) && isIn(note.message ?? -1, edit, messages))
      for (const note of own) told.add(note)
      const old = messages.slice(from, to)
      const [removed, added] = [linesOf(old, insert), linesOf(insert, old)]
      return {
        turn: turnOf(Math.min(from, Math.max(0, messages.length - 1))),
        message: from,
        role: old[0]?.role ?? null,
        rules: own.map(ruleOf),
        // Lines that read the same differ only in a field that is not content.
        removed: removed.filter((line) => !added.includes(line)),
        added: added.filter((line) => !removed.includes(line)),
      }
    })
  const others = repairs.filter((note) => !told.has(note))
  return { changes, whole: others.map(ruleOf) }
}

/** An edit of several messages into as many of the same roles becomes one edit for each. */
function oneByOne({ from, to, insert }: Edit, messages: readonly Message[]): Edit[] {
  const isEach = insert.length === to - from && insert.every(({ role }, at) => role === messages[from + at]?.role)
  if (!isEach) return [{ from, to, insert }]
  return insert.map((message, at) => ({ from: from + at, to: from + at + 1, insert: [message] }))
}

const ruleOf = ({ rule, what }: RepairNote) => ({ rule, what })

/** A repair behind a message is noted at that message. */
const isIn = (message: number, { from, to }: Edit, messages: readonly Message[]): boolean =>
  from === to ? message === from || message === from - 1 || message >= messages.length : message >= from && message < to

const quoted = 120

/** The blocks of `messages` that are not in `others`, as lines. */
function linesOf(messages: readonly Message[], others: readonly Message[]): string[] {
  const there = others.flatMap(blocksOf)
  const texts = new Set(there.map((block) => JSON.stringify(block)))
  return messages.flatMap(blocksOf).flatMap((block) => (texts.has(JSON.stringify(block)) ? [] : [lineOf(block)]))
}

function lineOf(block: Block): string {
  const { type } = block
  switch (type) {
    case 'text':
      return `text ${JSON.stringify(shorten(String(block['text']), quoted))}`
    case 'tool_use':
      return shorten(`call ${String(block['id'])} ${String(block['name'])} ${inputLabel(block['input'], quoted)}`, 160)
    case 'tool_result':
      return shorten(`result of ${String(block['tool_use_id'])}: ${said(block['content'])}`, 160)
    case 'thinking':
      return block['signature'] ? 'thinking, signed' : 'thinking, not signed'
    default:
      return shorten(type, 60)
  }
}

function said(content: unknown): string {
  if (typeof content === 'string') return shorten(content, quoted)
  if (!Array.isArray(content)) return ''
  return shorten(
    content.map((one: Block) => (one.type === 'text' ? String(one['text']) : `(${one.type})`)).join(' '),
    quoted,
  )
}

export function changeLines({ changes, whole }: Changes, columns: number, palette: Palette): string[] {
  const { bold, dim, red, green, yellow } = palette
  const lines: string[] = []
  let turn: number | undefined
  for (const change of changes) {
    if (change.turn !== turn) lines.push(bold(change.turn === 0 ? 'before turn 1' : `turn ${change.turn}`))
    turn = change.turn
    const what = change.role === null ? 'put a message here' : change.role
    lines.push(`  message ${change.message} ${dim(shorten(what, 20))}`)
    for (const { rule, what: done } of change.rules)
      lines.push(`    ${yellow(shorten(rule, 60))} ${shorten(done, columns - 8 - rule.length)}`)
    for (const removed of change.removed) lines.push(`    ${red(`- ${shorten(removed, columns - 8)}`)}`)
    for (const added of change.added) lines.push(`    ${green(`+ ${shorten(added, columns - 8)}`)}`)
  }
  if (whole.length > 0) lines.push(bold('as a whole'))
  for (const { rule, what } of whole)
    lines.push(`  ${yellow(shorten(rule, 60))} ${shorten(what, columns - 6 - rule.length)}`)
  return lines
}
