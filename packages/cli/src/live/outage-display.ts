/**
 * The line of the outage that is shown: on a terminal rewritten every second, elsewhere a line with every change, and
 * every 30 s, so that a log shows that the session still waits.
 *
 * 1. What the status page says is added once it is known, on a line of its own if the terminal is too narrow; nothing
 *    waits for it.
 */
import type { Clock, StatusPagePoller } from '@lastgood/core'
import type { Terminal } from '../terminal.ts'
import { shorten, widthOf } from '../text.ts'
import type { LiveTrouble } from '../outages/trouble.ts'
import { outageLine } from './outage-line.ts'
import { pageWatch, type PageWatch } from './page-watch.ts'
import type { Pen } from './pen.ts'

export interface OutageDisplayOptions {
  readonly pen: Pen
  readonly terminal: Terminal
  readonly clock: Clock
  readonly page: Pick<StatusPagePoller, 'poll'> | undefined
  /** What the line says of the session, as it stands now. */
  readonly session: () => { lastGoodTurn: number; model: string | undefined; live: LiveTrouble | undefined }
}

const countdownMs = 1_000
const heartbeatMs = 30_000

export class OutageDisplay {
  readonly #options: OutageDisplayOptions
  readonly #watch: PageWatch
  #ticking: AbortController | undefined

  constructor(options: OutageDisplayOptions) {
    this.#options = options
    this.#watch = pageWatch(options.page, options.clock, () => {
      // Not into the words of an answer that has begun.
      if (this.#ticking) this.show(true)
    })
  }

  show(isPageNews = false): void {
    const { pen, terminal, clock, session } = this.#options
    const { palette, isLive, columns } = terminal
    const { lastGoodTurn, model, live } = session()
    if (!live) return
    const lineIn = (room?: number) => `◐ ${outageLine(live, lastGoodTurn, clock.now(), room)}`
    const page = this.#watch.words(model)
    const both = page === '' ? lineIn() : `${lineIn()} · ${page}`
    if (isLive) {
      // Room for the cursor: a full line would wrap.
      const room = columns() - 1
      const fits = widthOf(both) <= room
      if (isPageNews && !fits) pen.line(palette.dim(page))
      const fitting = shorten(fits ? both : lineIn(room - widthOf('◐ ')), room)
      pen.draw(fitting, palette.yellow(fitting))
    } else pen.line(palette.yellow(both))
    this.#watch.tick()
    if (!this.#ticking) void this.#tick((this.#ticking = new AbortController()))
  }

  /** Shows it no more, until `show`: an answer has begun. */
  pause(): void {
    this.#ticking?.abort()
    this.#ticking = undefined
  }

  /** As `pause`, and the status page is asked no more. */
  rest(): void {
    this.pause()
    this.#watch.rest()
  }

  async #tick({ signal }: AbortController): Promise<void> {
    const { clock, terminal } = this.#options
    const everyMs = terminal.isLive ? countdownMs : heartbeatMs
    while (!signal.aborted) {
      try {
        await clock.sleepUntil(clock.now() + everyMs, { signal, background: true })
      } catch {
        return // stopped
      }
      if (!signal.aborted) this.show()
    }
  }
}
