/** A dashboard made of what a command line knows: its store, its configuration, its status page. */
import { resolve } from 'node:path'
import process from 'node:process'
import { LastgoodError } from '@lastgood/core'
import { builtFile } from '../built.ts'
import { configOrNone, type SetUp } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { pageChoice, statusUrlIn } from '../status/page-choice.ts'
import { createDashboard, type Dashboard, type DashboardOptions } from './dashboard.ts'
import { builtPage, pageFiles } from './page-files.ts'
import type { ResumeCommand } from './resume-process.ts'

type Chosen = Pick<DashboardOptions, 'store' | 'readOnly' | 'token' | 'exposure' | 'prefix'>

export interface DashboardPlace extends Chosen {
  readonly place: SetUp
  readonly wantsPage: boolean
  /** `--config` */
  readonly configPath: string | undefined
}

const shortestToken = 16

/** Errors: `bad-option` for a token that is too short, and for a `LASTGOOD_STATUS_URL` that is no address. */
export function dashboardFor(
  context: CliContext,
  { place, wantsPage, configPath, ...chosen }: DashboardPlace,
): Dashboard {
  if (chosen.token !== undefined && chosen.token.length < shortestToken) {
    throw new LastgoodError('bad-option', `the token must have ${shortestToken} characters at least`, {
      hint: 'make one: openssl rand -hex 32',
    })
  }
  // Read here, so that a mistake ends the start, and is not shown as trouble of the store.
  if (wantsPage) statusUrlIn(context.env)
  return createDashboard({
    ...chosen,
    clock: context.clock,
    flags: place.flags,
    files: pageFiles(builtPage()),
    config: configOrNone(place),
    resume: resumeCommand(context, place, configPath),
    cwd: context.cwd,
    page: (store) => pageChoice(context, store, wantsPage, place),
  })
}

/**
 * Names the same store to a process in another folder; in the environment, because everybody can read arguments. Its
 * agents are those of the session's own folder, unless a configuration was named.
 */
function resumeCommand({ env, cwd }: CliContext, place: SetUp, configPath: string | undefined): ResumeCommand {
  const program = builtFile('bin/lastgood.js')
  const { LASTGOOD_DASHBOARD_TOKEN: _ours, ...others } = env
  const [{ address, source }] = place.choices
  // A store that only code can make is made by the file that made it here.
  const config = configPath === undefined ? (address === undefined ? source : undefined) : resolve(cwd, configPath)
  return {
    command: [process.execPath, program],
    env: address === undefined ? others : { ...others, LASTGOOD_STORE: address },
    flags: config === undefined ? [] : ['--config', config],
  }
}
