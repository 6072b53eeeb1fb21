/** The results of an outage, for people. */
import type { Client, Played } from './play.ts'

const names: Readonly<Record<Client, string>> = { lastgood: 'lastgood', sdk: 'SDK', 'claude-code': 'Claude Code' }

export const outageColumns = [
  'outage',
  'lasts',
  'client',
  'completed',
  'gave up',
  'stuck',
  'requests',
  'wasted',
  'half back',
  '99 % back',
  'usual rate',
  'peak 1 s',
  '10 s',
  '1 min',
]

export function outageRow(played: Played): string[] {
  const { profile, client, sessions, outageMs, completed, gaveUp, stuck, requests, failed } = played
  const { atWork, halfBackMs, backMs, rateBefore, peak1s, peak10s, peakMinute } = played
  const back = (ms: number | undefined): string => (atWork === 0 || ms === undefined ? '-' : spell(ms))
  const times = (rate: number): string => (rate === 0 ? '-' : `${(rate / rateBefore).toFixed(2)}x`)
  return [
    client === 'lastgood' ? profile : '',
    client === 'lastgood' ? spell(outageMs) : '',
    names[client],
    `${completed}/${sessions}`,
    String(Object.values(gaveUp).reduce((sum, one) => sum + one, 0)),
    String(stuck),
    String(requests),
    `${failed} (${((100 * failed) / requests).toFixed(1)} %)`,
    back(halfBackMs),
    back(backMs),
    client === 'lastgood' ? `${rateBefore.toFixed(1)}/s` : '',
    times(peak1s),
    times(peak10s),
    times(peakMinute),
  ]
}

/** What only lastgood has: its breaker, and what its sessions were parked for. */
export const breakerColumns = ['outage', 'breaker opened', 'probes', 'sent past it', 'parked, and resumed later']

export function breakerRow({ profile, breakerOpened, probes, pastBreaker, parked }: Played): string[] {
  const parkings = Object.entries(parked).map(([why, times]) => `${times} x ${why}`)
  return [profile, `${breakerOpened} x`, String(probes), String(pastBreaker), parkings.join(', ') || '-']
}

function spell(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 172_800_000) return `${(ms / 3_600_000).toFixed(1)} h`
  return `${(ms / 86_400_000).toFixed(1)} d`
}
