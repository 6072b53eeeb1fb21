/** What may be wrong around lastgood: Node, the configuration file, credentials. Pure. */
import type { Finding } from '@lastgood/core'
import type { Env } from '../context.ts'
import { failureOf } from '../failure.ts'

/** When the maintainers of Node end a version's security fixes: https://github.com/nodejs/release#release-schedule. */
const endsOfLife: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
}

export function nodeFindings(version: string, now: number): Finding[] {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const mend = 'install a newer one: https://nodejs.org/en/download'
  if (major < 20 || (major === 20 && minor < 19)) {
    const risk = 'lastgood is neither built nor tested for it, so no promise holds'
    return [{ severity: 'danger', what: `Node ${version} is older than 20.19`, risk, mend }]
  }
  const end = endsOfLife[major]
  if (end === undefined || now < Date.parse(end)) return []
  const risk = 'it gets no more security fixes; no promise of lastgood depends on it'
  return [{ severity: 'info', what: `Node ${version} is past its end of life (${end})`, risk, mend }]
}

export function missingConfigFinding(cwd: string): Finding {
  return {
    severity: 'info',
    what: `there is no configuration file in ${cwd} or above`,
    risk: 'resume does not know which agents sessions use; programs with their own loop need no file',
    mend: 'write lastgood.config.mjs, or name one: lastgood doctor --config <path>',
  }
}

export function brokenConfigFinding(error: unknown): Finding {
  const { message, causes, hint } = failureOf(error)
  return {
    severity: 'danger',
    what: [message, ...causes].join(': '),
    risk: 'resume cannot continue any session (P6)',
    mend: hint ?? 'fix the configuration file, then: lastgood doctor',
  }
}

/** Whether a credential is set, never its value. */
export function credentialFindings(env: Env): Finding[] {
  if (env['ANTHROPIC_API_KEY'] || env['ANTHROPIC_AUTH_TOKEN']) return []
  return [
    {
      severity: 'info',
      what: 'neither ANTHROPIC_API_KEY nor ANTHROPIC_AUTH_TOKEN is set',
      risk: 'a client that reads them is refused (401), and its session suspended; Bedrock, Vertex and other clients need neither',
      mend: 'export ANTHROPIC_API_KEY, if agents of this shell need it',
    },
  ]
}
