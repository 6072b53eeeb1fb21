/**
 * The referee: every start and end of a tool as a line in a file that the product knows nothing of.
 *
 * A line is one O_APPEND write, so several processes may write, and a killed one leaves a start without an end.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import type { AgentTool } from '@lastgood/anthropic'
import type { Clock } from '@lastgood/core'
import { z } from 'zod'

const effectSchema = z.strictObject({
  phase: z.enum(['start', 'end']),
  /** The call's idempotency key: the same for every run of one call. */
  key: z.string(),
  tool: z.string(),
  /** The command, where the tool runs one. */
  command: z.string().optional(),
  pid: z.number(),
  at: z.number(),
})
export type Effect = z.infer<typeof effectSchema>

/** The same tool, watched. */
export function refereed(tool: AgentTool, log: string, clock: Clock): AgentTool {
  const name = tool.definition.name
  return {
    ...tool,
    async run(input, context) {
      const { command } = z.object({ command: z.string() }).partial().catch({}).parse(input)
      const write = (phase: Effect['phase']) => {
        const line: Effect = {
          phase,
          key: context.idempotencyKey,
          tool: name,
          ...(command !== undefined && { command }),
          pid: process.pid,
          at: clock.now(),
        }
        appendFileSync(log, `${JSON.stringify(line)}\n`)
      }
      write('start')
      const result = await tool.run(input, context)
      // What was stopped did not end.
      if (!context.signal.aborted) write('end')
      return result
    },
  }
}

export function readEffects(log: string): Effect[] {
  const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => effectSchema.parse(JSON.parse(line)))
}
