/** A report in a few numbers. Pure. */
import type { Report, Standing } from './report.ts'

export interface Summary {
  readonly bySelf: number
  readonly standings: Readonly<Record<Standing, number>>
  readonly lost: number
}

export function summaryOf({ sessions }: Report): Summary {
  const standings = { recovered: 0, waiting: 0, stopped: 0, suspended: 0, refused: 0, rewound: 0 }
  for (const { standing } of sessions) standings[standing] += 1
  return {
    bySelf: sessions.filter(({ isBySelf }) => isBySelf).length,
    standings,
    lost: sessions.reduce((sum, { turnsLost }) => sum + turnsLost.length, 0),
  }
}
