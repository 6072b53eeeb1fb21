/**
 * Whether and where the status page is asked. Order: `--no-page`, `LASTGOOD_STATUS_URL` (an address or `off`), the
 * configuration file, Anthropic's page.
 */
import { LastgoodError, statusPage, type StatusPagePoller, type Store } from '@lastgood/core'
import type { LastgoodConfig } from '../config.ts'
import type { CliContext } from '../context.ts'

/** What asks it, or what said that nobody shall. */
export type PageChoice = { readonly poller: StatusPagePoller } | { readonly off: string }

/**
 * `isWanted`: not `--no-page`. `configured` is called only where the configuration file has a say.
 * Errors: `bad-option` for an address that is none, and those of `configured`.
 */
export function pageChoice(
  { env, clock }: CliContext,
  { shared }: Store,
  isWanted: boolean,
  configured: () => LastgoodConfig['statusPage'],
): PageChoice {
  if (!isWanted) return { off: '--no-page' }
  const url = env['LASTGOOD_STATUS_URL']
  if (url === 'off') return { off: 'LASTGOOD_STATUS_URL' }
  if (url) {
    if (!/^https?:/.test(url)) {
      throw new LastgoodError('bad-option', 'LASTGOOD_STATUS_URL is neither an address nor off', {
        hint: 'write LASTGOOD_STATUS_URL=off, or the http(s) address of a summary.json',
      })
    }
    return { poller: statusPage({ shared, clock, urls: [url] }) }
  }
  const chosen = configured()
  if (chosen === false) return { off: 'the configuration file' }
  return { poller: statusPage({ shared, clock, ...chosen }) }
}
