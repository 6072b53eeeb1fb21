/**
 * Tools of an agent: what the model is told of them, how their input is checked, and what happens to a call whose
 * outcome is unknown.
 *
 * 1. A tool never throws into the loop: bad input and failures become error results that the model can act on.
 * 2. What a tool returns is made well-formed text before it is recorded: a lone surrogate would make the API refuse the
 *    whole conversation.
 */
import {
  checksOf,
  inDoubtRules,
  toolContent,
  type Block,
  type InDoubt,
  type LedgerTool,
  type OptionChecks,
  type ToolContent,
  type ToolContext,
  type Verdict,
} from '@lastgood/core'
// With zod 4 this is 'zod' itself; with 3.25 it is the copy of zod 4 that it contains.
import { z } from 'zod/v4'

/** What a tool gives the model: text, or content blocks that the API accepts in a `tool_result`. */
export type ToolOutput = ToolContent

/** A tool as the loop needs it. */
export interface AgentTool extends LedgerTool {
  /** The definition that the model is given, as JSON. */
  readonly definition: { readonly name: string } & Readonly<Record<string, unknown>>
}

export interface ToolOptions<Input extends z.ZodType> {
  name: string
  description: string
  /** Checks the model's input; the model is given it as a JSON schema. */
  input: Input
  /**
   * What to do on resume with a call that was started and has no result: `rerun` it (only for tools that are safe to
   * repeat), `report` its unknown outcome to the model, or `ask` a person. Default `report`.
   */
  inDoubt?: InDoubt
  run(input: z.output<Input>, context: ToolContext): ToolOutput | Promise<ToolOutput>
  /**
   * Finds out, without changing anything, what came of a call that was started before a restart and has no result:
   * `done` with what it returned, `not-done` (it runs now), or `unknown` (`inDoubt` decides, also when this throws or
   * has not answered after 30 s).
   */
  verify?(input: z.output<Input>, context: ToolContext): Verdict<ToolOutput> | Promise<Verdict<ToolOutput>>
}

// As an object, so that the compiler keeps it complete.
const optionNames: Record<keyof ToolOptions<z.ZodType>, true> = {
  name: true,
  description: true,
  input: true,
  inDoubt: true,
  run: true,
  verify: true,
}
const { oneOf, badOption, assertFunctions, assertKnown }: OptionChecks = checksOf('Tool')

export const isName = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''

/** A tool whose input is declared by a zod schema. Throws `bad-option`. */
export function tool<Input extends z.ZodType>(options: ToolOptions<Input>): AgentTool {
  assertKnown(undefined, options, Object.keys(optionNames))
  const { name, description, input: schema, run, verify } = options
  if (!isName(name)) throw badOption('name', name, 'a non-empty string')
  if (typeof description !== 'string') throw badOption('description', typeof description, 'a text')
  if (schema?._zod === undefined) throw badOption('input', typeof schema, 'a zod 4 schema (zod/v4 in 3.25)')
  if (run === undefined) throw badOption('run', run, 'a function')
  assertFunctions({ run, verify })
  const inDoubt = oneOf(`inDoubt of ${name}`, options.inDoubt ?? 'report', inDoubtRules)
  const { $schema: _schema, ...inputSchema } = z.toJSONSchema(schema, { io: 'input' })
  return {
    definition: { name, description, input_schema: inputSchema },
    inDoubt,
    run: (input, context) => resultOf(context, async () => options.run(await schema.parseAsync(input), context)),
    ...(options.verify && {
      verify: async (input: unknown, context: ToolContext): Promise<Verdict<Block>> => {
        const verdict = (await options.verify?.(await schema.parseAsync(input), context)) ?? { kind: 'unknown' }
        if (verdict.kind !== 'done') return verdict
        return { kind: 'done', result: await resultOf(context, () => Promise.resolve(verdict.result)) }
      },
    }),
  }
}

/** A runnable tool of the SDK: `betaZodTool`, the agent toolset, one written by hand. */
export interface RunnableTool {
  name: string
  run(input: never, context?: object): unknown
  parse?: (input: unknown) => unknown
}

export function fromRunnableTool(runnable: RunnableTool, inDoubt: InDoubt): AgentTool {
  const run = runnable.run as (input: unknown, context?: object) => unknown
  return {
    // JSON leaves out the functions: what remains is what the API accepts.
    definition: JSON.parse(JSON.stringify({ ...runnable, close: undefined })) as AgentTool['definition'],
    inDoubt,
    run: (input, context) =>
      resultOf(context, async () => {
        const { toolUseId, signal } = context
        const toolUse = { type: 'tool_use', id: toolUseId, name: runnable.name, input }
        const parsed = runnable.parse ? runnable.parse(input) : input
        return await run.call(runnable, parsed, { toolUse, toolUseBlock: toolUse, signal })
      }),
  }
}

async function resultOf({ toolUseId, signal }: ToolContext, run: () => Promise<unknown>): Promise<Block> {
  const result = { type: 'tool_result', tool_use_id: toolUseId }
  try {
    return { ...result, content: wellFormed(toolContent(await run())) }
  } catch (error) {
    signal.throwIfAborted() // stopped half-way: the ledger keeps the call in doubt
    return { ...result, is_error: true, content: wellFormed(errorContent(error)) }
  }
}

/** The SDK's `ToolError` carries its own content. */
function errorContent(error: unknown): ToolOutput {
  if (error instanceof z.ZodError) return `Error: invalid input: ${z.prettifyError(error)}`
  if (!(error instanceof Error)) return `Error: ${String(error)}`
  const content = 'content' in error ? error.content : undefined
  return typeof content === 'string' || Array.isArray(content) ? toolContent(content) : `Error: ${error.message}`
}

function wellFormed(output: ToolOutput): ToolOutput {
  if (typeof output === 'string') return output.toWellFormed()
  return output.map((block) =>
    typeof block['text'] === 'string' ? { ...block, text: block['text'].toWellFormed() } : block,
  )
}
