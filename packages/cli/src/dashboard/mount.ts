/**
 * The dashboard on the port of a gateway, under `/dashboard/`. Every other path is the gateway's, untouched: tools find
 * the API there. A tool's token does not open the dashboard, which has its own.
 */
import type { Gateway } from '@lastgood/gateway'
import type { SetUp, StoreOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import type { Exposure } from '../server/exposure.ts'
import type { Talk } from '../server/talk.ts'
import type { OpenStore } from '../stores.ts'
import { safeLine } from '../text.ts'
import { writeAddress, type AddressFile } from './address-file.ts'
import type { Dashboard } from './dashboard.ts'
import { dashboardFor } from './dashboard-for.ts'
import { openStore } from './kept-store.ts'

const prefix = '/dashboard'

export interface Mount {
  over(gateway: Pick<Gateway, 'fetch' | 'close'>, opened: OpenStore, place: SetUp): Pick<Gateway, 'fetch' | 'close'>
  /** Says where it is, once that is known. */
  tell(url: string, talk: Talk): Promise<void>
  /** Removes what `tell` wrote for others to find it. */
  forget(): void
}

export function mountFor(context: CliContext, { config }: StoreOptions, exposure: Exposure): Mount {
  let dashboard: Dashboard | undefined
  let file: AddressFile | undefined
  return {
    over(gateway, { store }, place) {
      const made = dashboardFor(context, {
        place,
        store: openStore(store),
        wantsPage: true,
        configPath: config,
        readOnly: false,
        token: context.env['LASTGOOD_DASHBOARD_TOKEN'] || undefined,
        exposure,
        prefix,
      })
      dashboard = made
      return {
        fetch: (request, body) => (isOurs(request.url) ? made.fetch(request) : gateway.fetch(request, body)),
        async close() {
          await Promise.all([made.close(), gateway.close()])
        },
      }
    },
    async tell(url, talk) {
      if (!dashboard) return
      const place = `${url}${prefix}/`
      const address = `${place}#token=${dashboard.token}`
      file = await writeAddress(context, new URL(url).port, address)
      // A gateway's output is often a log, where the token has no place.
      const isSeen = context.stderr.isTTY === true
      const told = isSeen ? address : file ? `${place}, with its token: cat ${file.path}` : place
      talk.tell('dashboard', { event: 'dashboard', url: place, ...(file && { file: file.path }) }, [
        `page     ${safeLine(told)}`,
      ])
    },
    forget: () => file?.remove(),
  }
}

/** Takes an absolute address, and does not parse it: every request of the gateway passes here. */
function isOurs(url: string): boolean {
  const path = url.indexOf('/', url.indexOf('//') + 2)
  if (path < 0 || !url.startsWith(prefix, path)) return false
  const next = url[path + prefix.length]
  return next === undefined || next === '/' || next === '?'
}
