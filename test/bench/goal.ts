/** A goal of a bench: what is measured, and what it may be at most. */
import { formatTable } from '../support/report.ts'

export interface Goal {
  readonly name: string
  readonly measured: number
  readonly atMost: number
  readonly met: boolean
}

export function goal(name: string, measured: number, atMost: number): Goal {
  return { name, measured, atMost, met: measured <= atMost }
}

/** `unit`: of the values. */
export function goalsTable(unit: string, goals: readonly Goal[], text: (value: number) => string, isMarkdown: boolean) {
  const rows = goals.map(({ name, measured, atMost, met }) => [
    name,
    text(measured),
    text(atMost),
    met ? 'met' : 'not met',
  ])
  return formatTable([`goal, ${unit}`, 'measured', 'at most', ''], rows, isMarkdown)
}
