/** `lastgood dashboard`: the web page of a store's sessions. */
import { isLastgoodError } from '@lastgood/core'
import { Command } from 'commander'
import { setUp, withStoreOptions, type StoreOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { exposureOf, type ExposureOptions } from '../server/exposure.ts'
import { exampleOf } from '../help-example.ts'
import { portOption } from '../option-values.ts'
import { untilStopped } from '../stop.ts'
import { storeLine } from '../stores.ts'
import { safeLine } from '../text.ts'

interface DashboardCommandOptions extends StoreOptions, ExposureOptions {
  port: number
  readOnly?: boolean
  /** False: the status page is not asked. */
  page: boolean
}

export function dashboardCommand(context: CliContext): Command {
  return withStoreOptions(new Command('dashboard'))
    .description('serve a web page: every session, what it waits for, its timeline, and the provider')
    .summary('serve a web page: the provider, every session, timelines')
    .option('--port <number>', 'the port, 0 for any', portOption, 4142)
    .option('--host <address>', 'the address of this machine to listen at', '127.0.0.1')
    .option('--read-only', 'the page can only show, not act')
    .option('--no-page', "do not ask the API's status page (LASTGOOD_STATUS_URL)")
    .option('--token-file <file>', 'the token to sign in with, instead of a new one (LASTGOOD_DASHBOARD_TOKEN)')
    .option('--allow-host <names...>', 'host names by which it may be called when not on loopback')
    .option('--tls-cert <file>', 'the certificate, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--behind-proxy', 'a server in front provides TLS and access control')
    .addHelpText('after', exampleOf('lastgood dashboard', 'lastgood dashboard --read-only --port 8080'))
    .action((options: DashboardCommandOptions) => runDashboard(context, options))
}

async function runDashboard(context: CliContext, options: DashboardCommandOptions): Promise<void> {
  const exposure = exposureOf(context, options, 'LASTGOOD_DASHBOARD_TOKEN')
  await untilStopped(context, async (stop) => {
    const place = await setUp(context, options, true)
    const [choice] = place.choices
    // Loaded only here: most commands need no server.
    const [{ dashboardFor }, { keptStore }, { serve }, { writeAddress }] = await Promise.all([
      import('./dashboard-for.ts'),
      import('./kept-store.ts'),
      import('../server/serve.ts'),
      import('./address-file.ts'),
    ])
    const store = keptStore(choice)
    // A store that does not answer is shown as such, and asked again; an address that names no store is a mistake.
    await stop.orStopped(store.open()).catch((error: unknown) => {
      if (!isLastgoodError(error, 'store-unavailable')) throw error
    })
    const dashboard = dashboardFor(context, {
      place,
      store,
      wantsPage: options.page,
      configPath: options.config,
      readOnly: options.readOnly ?? false,
      token: exposure.token,
      exposure,
    })
    const served = await serve(dashboard, exposure, options.port).catch(async (error: unknown) => {
      await dashboard.close()
      throw error
    })
    const address = `${shownOrigin(served.url, exposure.hosts)}/#token=${dashboard.token}`
    const file = await writeAddress(context, new URL(served.url).port, address)
    try {
      context.stderr.write(`${storeLine(store.location, choice.source)}\n`)
      if (file) context.stderr.write(`address  also in ${safeLine(file.path)}\n`)
      context.stdout.write(`${address}\n`)
      await stop.asked
    } finally {
      file?.remove()
      await served.close()
    }
  })
}

/** An address that a browser can open: 0.0.0.0 is none. */
function shownOrigin(url: string, [name]: readonly string[]): string {
  const { protocol, hostname, port: taken } = new URL(url)
  const isAny = hostname === '0.0.0.0' || hostname === '[::]'
  return isAny && name !== undefined ? `${protocol}//${name}:${taken}` : url
}
