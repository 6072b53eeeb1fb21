/** The tool calls of the last answer, as lines: what starts, and how it ends. A fold of entries. */
import { callLabel } from '../call-label.ts'
import type { Block, Entry, InDoubtDid } from '@lastgood/core'
import { spent } from '../durations.ts'
import type { Palette } from '../terminal.ts'
import { safeLine } from '../text.ts'

const done: Readonly<Record<InDoubtDid, string>> = {
  'verified-done': 'the tool says it was done; not repeated',
  'verified-not-done': 'the tool says it was not done; runs now',
  rerun: 'runs again with the same idempotency key',
  reported: 'not repeated; the model is told to check first',
  parked: 'not repeated; a person has to decide',
}

interface Call {
  label: string
  startedAt?: number
}

/** What is known of a call before its first entry is seen. */
export interface KnownCall {
  readonly toolUseId: string
  readonly name: string
  readonly input: unknown
}

export class RunningCalls {
  readonly #palette: Palette
  readonly #calls = new Map<string, Call>()
  /** In-doubt calls that have had their line already. */
  readonly #told = new Set<string>()

  constructor(palette: Palette, known: readonly KnownCall[]) {
    this.#palette = palette
    for (const { toolUseId, name, input } of known) this.#calls.set(toolUseId, { label: callLabel(name, input, 60) })
  }

  /** What was done about a call that was started before a restart; its in-doubt end then needs no line of its own. */
  inDoubtLine({ toolUseId, name, did }: { toolUseId: string; name: string; did: InDoubtDid }): string {
    this.#told.add(toolUseId)
    return this.#palette.yellow(`? ${this.#calls.get(toolUseId)?.label ?? safeLine(name)} was in doubt: ${done[did]}`)
  }

  /** The lines for `entry`. */
  linesFor(entry: Entry): string[] {
    switch (entry.type) {
      case 'response-received':
        this.#calls.clear()
        return entry.message.content.filter(isCall).map((block) => {
          const label = callLabel(String(block['name']), block['input'], 60)
          this.#calls.set(String(block['id']), { label, startedAt: entry.at })
          return this.#palette.dim(`  → ${label}`)
        })
      case 'tool-started': {
        const call = this.#calls.get(entry.toolUseId)
        if (call?.startedAt !== undefined) return []
        const label = call?.label ?? safeLine(entry.name)
        this.#calls.set(entry.toolUseId, { label, startedAt: entry.at })
        return [this.#palette.dim(`  → ${label}`)]
      }
      case 'tool-finished': {
        const { label, startedAt } = this.#calls.get(entry.toolUseId) ?? { label: entry.toolUseId }
        this.#calls.delete(entry.toolUseId)
        if (this.#told.delete(entry.toolUseId) && entry.outcome === 'in-doubt') return []
        const time = startedAt === undefined ? '' : ` ${spent(entry.at - startedAt)}`
        return [this.#finished(entry, label, time)]
      }
      default:
        return []
    }
  }

  #finished({ outcome, result }: Entry & { type: 'tool-finished' }, label: string, time: string): string {
    const { green, red, yellow, dim } = this.#palette
    if (outcome === 'in-doubt')
      return `  ${yellow('?')} ${label} ${yellow('outcome unknown')}; not repeated, the model is told`
    if (outcome === 'refused') return `  ${red('✖')} ${label} ${red('not run')}: there is no such tool`
    return result['is_error'] === true
      ? `  ${red('✖')} ${label} ${red('error')}${dim(time)}`
      : `  ${green('✔')} ${label}${dim(time)}`
  }
}

const isCall = (block: Block): boolean => block.type === 'tool_use'
