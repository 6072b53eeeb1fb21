/** A dashboard with what a command line knows: its store, its configuration, its page. */
import { LastgoodError } from '@lastgood/core'
import type { SetUp } from '../common-options.ts'
import type { LastgoodConfig } from '../config.ts'
import type { CliContext } from '../context.ts'
import { pageChoice } from '../status/page-choice.ts'
import { createDashboard, type Dashboard, type DashboardOptions } from './dashboard.ts'
import { builtPage, pageFiles } from './page-files.ts'

type Chosen = Pick<DashboardOptions, 'store' | 'readOnly' | 'token' | 'hosts' | 'isSecure' | 'isBehindProxy' | 'prefix'>

export interface DashboardPlace extends Chosen {
  readonly place: SetUp
  readonly wantsPage: boolean
}

const shortestToken = 16

/** Errors: `bad-option` for a token that is too short. */
export function dashboardFor(context: CliContext, { place, wantsPage, ...chosen }: DashboardPlace): Dashboard {
  if (chosen.token !== undefined && chosen.token.length < shortestToken) {
    throw new LastgoodError('bad-option', `the token must have ${shortestToken} characters at least`, {
      hint: 'make one: openssl rand -hex 32',
    })
  }
  const config = configIn(place)
  return createDashboard({
    ...chosen,
    clock: context.clock,
    flags: place.flags,
    files: pageFiles(builtPage()),
    config: 'broken' in config ? undefined : config.config,
    page: (store) =>
      'broken' in config
        ? { off: 'the configuration file could not be loaded' }
        : pageChoice(context, store, wantsPage, () => config.config?.statusPage),
  })
}

/** What cannot be loaded keeps nobody from looking. */
function configIn(place: SetUp): { config: LastgoodConfig | undefined } | { broken: true } {
  try {
    return { config: place.config()?.config }
  } catch {
    return { broken: true }
  }
}
