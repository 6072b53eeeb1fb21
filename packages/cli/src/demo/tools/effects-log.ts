/**
 * The referee: one line for every start and end of a tool, in a file that lastgood does not know.
 *
 * A line is a single O_APPEND write, so several processes may write, and a killed one leaves a start without an end.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import type { AgentTool } from '@lastgood/anthropic'
import type { Clock } from '@lastgood/core'
import { z } from 'zod'

const effectSchema = z.strictObject({
  phase: z.enum(['start', 'end']),
  /** The call's idempotency key: the same for every run of a call. */
  key: z.string(),
  tool: z.string(),
  /** The command, if the tool runs one. */
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
      // A stopped tool did not end.
      if (!context.signal.aborted) write('end')
      return result
    },
  }
}

export function readEffects(log: string): Effect[] {
  const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => effectSchema.parse(JSON.parse(line)))
}
