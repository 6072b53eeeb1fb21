/**
 * Whether and where the status page is asked. Order: `--no-page`, `LASTGOOD_STATUS_URL`, the configuration file,
 * Anthropic's page. A file that cannot be loaded may forbid it, so the page is then not asked.
 */
import { LastgoodError, statusPage, type StatusPageOptions, type StatusPagePoller, type Store } from '@lastgood/core'
import type { SetUp } from '../common-options.ts'
import type { CliContext, Env } from '../context.ts'

/** What asks the page, or the setting that turned it off. */
export type PageChoice = { readonly poller: StatusPagePoller } | { readonly off: string }

/** `isWanted`: false with `--no-page`. Errors: those of `statusUrlIn`. */
export function pageChoice(
  { env, clock }: CliContext,
  { shared }: Store,
  isWanted: boolean,
  place: Pick<SetUp, 'config'>,
): PageChoice {
  const asking = (options: Pick<StatusPageOptions, 'urls' | 'everyMs'> = {}) => {
    return { poller: statusPage({ shared, clock, ...options }) }
  }
  if (!isWanted) return { off: '--no-page' }
  const url = statusUrlIn(env)
  if (url === 'off') return { off: 'LASTGOOD_STATUS_URL' }
  if (url !== undefined) return asking({ urls: [url] })
  try {
    const chosen = place.config()?.config.statusPage
    return chosen === false ? { off: 'the configuration file' } : asking(chosen)
  } catch {
    return { off: 'the configuration file could not be loaded' }
  }
}

/** `LASTGOOD_STATUS_URL`: an address, or `off`. Errors: `bad-option` if it is neither. */
export function statusUrlIn(env: Env): string | undefined {
  const url = env['LASTGOOD_STATUS_URL']
  if (!url) return undefined
  if (url === 'off' || /^https?:/.test(url)) return url
  throw new LastgoodError('bad-option', 'LASTGOOD_STATUS_URL is neither an address nor off', {
    hint: 'write LASTGOOD_STATUS_URL=off, or the http(s) address of a summary.json',
  })
}
