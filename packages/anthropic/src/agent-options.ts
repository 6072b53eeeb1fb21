/**
 * The options of an agent. Bad options throw where the agent is defined, not once one of its turns has begun.
 */
import {
  assertContent,
  checksOf,
  inDoubtRules,
  validateLadder,
  type Block,
  type InDoubt,
  type InterceptorOptions,
  type OptionChecks,
} from '@lastgood/core'
import { assertClient, type AgentClient } from './client.ts'
import type { Ladder } from './ladder.ts'
import { fromRunnableTool, isName, type AgentTool, type RunnableTool } from './tool.ts'

export interface AgentOptions {
  /** Recorded with each turn; `resume` finds the agent by it. */
  name: string
  /** A client of the Anthropic SDK; the agent turns its retries off. */
  client: AgentClient
  /** The model, or a `ladder(…)` of models that take over from each other. */
  model: string | Ladder
  /** The system prompt. Default: none. */
  system?: string | Block[]
  /** Made by `tool`, or runnable tools of the SDK. Default: none. */
  tools?: readonly (AgentTool | RunnableTool)[]
  /** Rules for the SDK's tools, by name, if `report` does not suit. */
  inDoubt?: Readonly<Record<string, InDoubt>>
  /** `max_tokens` of each request. Default 32,000. */
  maxTokens?: number
  /** Whether answers stream, so that words can be shown as they come. Default true. */
  stream?: boolean
  /**
   * Other fields of the request body: `thinking`, `output_config`, `metadata`; and `tools` that the API runs, which are
   * added to those above. Prompt caching is automatic, unless `cache_control` is set here. Default: none.
   */
  params?: Readonly<Record<string, unknown>>
  /** Values of the `anthropic-beta` header. Default: none. */
  betas?: readonly string[]
  /** Gives headers with fresh credentials; called after a 401. Default: the same credentials again. */
  credentials?: InterceptorOptions['credentials']
}

interface ResolvedAgent {
  model: string
  /** Empty where there is no ladder. */
  rungs: Ladder
  tools: ReadonlyMap<string, AgentTool>
  /** Of its tools, and of those that the API runs. */
  definitions: readonly object[]
  maxTokens: number
  stream: boolean
}

// As an object, so that the compiler keeps it complete.
const optionNames: Record<keyof AgentOptions, true> = {
  name: true,
  client: true,
  model: true,
  system: true,
  tools: true,
  inDoubt: true,
  maxTokens: true,
  stream: true,
  params: true,
  betas: true,
  credentials: true,
}
const { oneOf, badOption, assertFunctions, assertKnown }: OptionChecks = checksOf('Agent')

/** Of the body. */
const ownFields = ['model', 'max_tokens', 'system', 'messages', 'stream', 'betas']

/** Throws `bad-option`. */
export function resolveAgent(options: AgentOptions): ResolvedAgent {
  assertKnown(undefined, options, Object.keys(optionNames))
  const { name, client, model, maxTokens = 32_000, stream = true, params = {}, betas = [] } = options
  if (!isName(name)) throw badOption('name', name, 'a non-empty string')
  assertClient(client)
  const first = Array.isArray(model) ? (model as Ladder)[0]?.model : model
  if (!isName(first)) throw badOption('model', typeof first, 'a model name, or a ladder of at least one')
  if (typeof model !== 'string') validateLadder(model)
  if (options.system !== undefined) assertContent(options.system, 'system')
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1)
    throw badOption('maxTokens', maxTokens, 'a whole number of at least 1')
  if (!isRecord(params)) throw badOption('params', typeof params, 'an object of body fields')
  const { tools: ofApi = [] } = params
  if (!Array.isArray(ofApi) || !ofApi.every(isRecord)) throw badOption('params', 'tools', 'a list of tools in tools')
  const taken = ownFields.find((field) => field in params)
  if (taken !== undefined) throw badOption('params', taken, 'fields that neither another option nor the run sets')
  if (!Array.isArray(betas) || !betas.every(isName)) throw badOption('betas', typeof betas, 'a list of names')
  assertFunctions({ credentials: options.credentials })
  const tools = toolsOf(options)
  return {
    model: first,
    rungs: typeof model === 'string' ? [] : model,
    tools,
    definitions: [...[...tools.values()].map(({ definition }) => definition), ...ofApi],
    maxTokens,
    stream: oneOf('stream', stream, [true, false]),
  }
}

const isRecord = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isTool = (one: AgentTool | RunnableTool) =>
  isRecord(one) && ('definition' in one || (isName(one.name) && typeof one.run === 'function'))

function toolsOf({ tools = [], inDoubt = {} }: AgentOptions): Map<string, AgentTool> {
  if (!Array.isArray(tools) || !tools.every(isTool)) throw badOption('tools', typeof tools, 'a list of tools')
  if (!isRecord(inDoubt)) throw badOption('inDoubt', typeof inDoubt, 'an object of rules by tool name')
  const runnable = tools.flatMap((one) => ('definition' in one ? [] : [one.name]))
  for (const [tool, rule] of Object.entries(inDoubt)) {
    oneOf(`inDoubt.${tool}`, rule, inDoubtRules)
    // A rule under a wrong name would leave the intended tool without it.
    if (!runnable.includes(tool))
      throw badOption('inDoubt', tool, "names of the SDK's tools: `tool` takes its rule itself")
  }
  const found = new Map<string, AgentTool>()
  for (const one of tools) {
    const tool = 'definition' in one ? one : fromRunnableTool(one, inDoubt[one.name] ?? 'report')
    const { name } = tool.definition
    if (found.has(name)) throw badOption('tools', name, 'tools with different names')
    found.set(name, tool)
  }
  return found
}
