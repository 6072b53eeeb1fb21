/**
 * How much the model works: effort and thinking, as close to the original as the other model allows.
 *
 * 1. What the first model did by default is set explicitly where the other one's default differs.
 * 2. Where no value is sure to be accepted, the field is left out, which every model accepts.
 */
import { isRecord, without } from '../json.ts'
import type { Message } from '../journal/journal.ts'
import { beginsWithThinking, endsWithThinking } from './message-steps.ts'
import { effortLevels, isSameModel, type ModelCard } from './model-card.ts'
import type { Params } from '../repair/outgoing.ts'
import type { Step } from './step.ts'

/** https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
const smallestBudget = 1_024
/** For larger budgets the pages advise batches. */
const largestBudget = 32_000

/** https://platform.claude.com/docs/en/build-with-claude/effort */
export const effort: Step = (outgoing, { from, to }) => {
  const { params } = outgoing
  const named = effortIn(params)
  const wanted = named ?? from.defaultEffort
  const level = wanted === undefined ? undefined : nearestEffort(wanted, to.efforts)
  const wordless = named === undefined && level === to.defaultEffort
  if (level === named || wordless) return undefined
  const what = level === undefined ? `left out effort ${named}` : `effort ${level} instead of ${wanted}`
  return { outgoing: { ...outgoing, params: withEffort(params, level) }, what }
}

/** https://platform.claude.com/docs/en/build-with-claude/thinking#configuring-thinking */
export const thinking: Step = (outgoing, { from, to }) => {
  const { params, messages } = outgoing
  const asked = isRecord(params['thinking']) ? params['thinking'] : undefined
  const config = placed(isSameModel(from.id, to.id) ? asked : mapped(asked, params, from, to), messages, to)
  const isSame = JSON.stringify(config) === JSON.stringify(asked)
  const stops = thinks(asked, from) && !thinks(config, to)
  const kept = isSame ? params : config ? { ...params, thinking: config } : without(params, ['thinking'])
  const changed = stops ? withoutClearing(kept) : kept
  if (changed === params) return undefined
  const what = `thinking ${nameOf(config)} instead of ${nameOf(asked)}`
  return { outgoing: { ...outgoing, params: changed }, what }
}

type Config = Readonly<Record<string, unknown>> | undefined

/** A config that fits the last answer: extended thinking needs it to begin with thinking, disabled to have none. */
function placed(config: Config, messages: readonly Message[], to: ModelCard): Config {
  if (config?.['type'] === 'enabled' && !beginsWithThinking(messages)) return adaptiveOrNothing(config, to)
  return config?.['type'] === 'disabled' && endsWithThinking(messages) ? undefined : config
}

/**
 * The server can clear thinking only where thinking is on.
 * https://github.com/anthropics/claude-code/issues/11971
 */
export const withoutClearing = (params: Params): Params => withoutEdits(params, 'clear_thinking_')

/** Without the edits of the context whose type begins with `prefix`. */
export function withoutEdits(params: Params, prefix: string): Params {
  const management = params['context_management']
  if (!isRecord(management) || !Array.isArray(management['edits'])) return params
  const edits = management['edits'] as unknown[]
  const others = edits.filter((edit) => !isRecord(edit) || !String(edit['type']).startsWith(prefix))
  if (others.length === edits.length) return params
  if (others.length === 0) return without(params, ['context_management'])
  return { ...params, context_management: { ...management, edits: others } }
}

function mapped(asked: Config, params: Params, from: ModelCard, to: ModelCard): Config {
  const config = to.preservedThinking || !asked ? asked : without(asked, ['block_binding'])
  return thinks(config, from) ? mappedOn(config, params, to) : mappedOff(config, params, to)
}

function mappedOn(asked: Config, params: Params, to: ModelCard): Config {
  const maxTokens = Number(params['max_tokens'])
  const type = asked?.['type']
  // The first model's default is not turned on against a forced tool: no model thinks then.
  if (!asked && (to.thinksByDefault || isForced(params))) return undefined
  if (type !== 'enabled' && to.thinking.includes('adaptive')) return { ...asked, type: 'adaptive' }
  if (to.thinking.includes('enabled')) return enabled(asked, maxTokens)
  return asked && adaptiveOrNothing(asked, to)
}

function mappedOff(asked: Config, params: Params, to: ModelCard): Config {
  if (!asked && !to.thinksByDefault) return undefined
  const level = effortIn(params) ?? to.defaultEffort
  // Thinking can be turned off up to effort `high` only.
  if (level === 'xhigh' || level === 'max') return undefined
  const preferred = asked?.['type'] === 'between_tools' ? ['between_tools', 'disabled'] : ['disabled', 'between_tools']
  const type = preferred.find((one) => to.thinking.some((taken) => taken === one))
  return type === undefined ? undefined : type === asked?.['type'] ? asked : { type }
}

/** Enabled with a budget that leaves room for an answer. */
function enabled(asked: Config, maxTokens: number): Config {
  const budget = Number(asked?.['budget_tokens'])
  if (budget < maxTokens) return asked
  const half = Math.min(Math.max(Math.floor(maxTokens / 2), smallestBudget), largestBudget)
  if (!(half < maxTokens)) return undefined
  return { ...(asked?.['type'] === 'enabled' && asked), type: 'enabled', budget_tokens: half }
}

function adaptiveOrNothing(asked: NonNullable<Config>, to: ModelCard): Config {
  return to.thinking.includes('adaptive') ? { ...without(asked, ['budget_tokens']), type: 'adaptive' } : undefined
}

/** Whether the model thinks under this setting, or without one. */
export function thinks(config: unknown, card: ModelCard): boolean {
  const type = isRecord(config) ? config['type'] : undefined
  return type === undefined ? card.thinksByDefault : type === 'adaptive' || type === 'enabled'
}

export function isForced({ tool_choice: choice }: Params): boolean {
  return isRecord(choice) && (choice['type'] === 'any' || choice['type'] === 'tool')
}

function nearestEffort(wanted: string, efforts: readonly string[]): string | undefined {
  if (efforts.includes(wanted)) return wanted
  const levels: readonly string[] = effortLevels
  if (!levels.includes(wanted)) return undefined
  const distance = (level: string) => Math.abs(levels.indexOf(level) - levels.indexOf(wanted))
  // Of two equally near levels the lower one comes first.
  return levels.filter((level) => efforts.includes(level)).sort((a, b) => distance(a) - distance(b))[0]
}

function effortIn({ output_config: config }: Params): string | undefined {
  const level = isRecord(config) ? config['effort'] : undefined
  return typeof level === 'string' ? level : undefined
}

export function withEffort(params: Params, level: string | undefined): Params {
  const config = isRecord(params['output_config']) ? params['output_config'] : {}
  const changed = level === undefined ? without(config, ['effort']) : { ...config, effort: level }
  if (Object.keys(changed).length === 0) return without(params, ['output_config'])
  return { ...params, output_config: changed }
}

function nameOf(config: Config): string {
  return config === undefined ? 'left out' : String(config['type'])
}
