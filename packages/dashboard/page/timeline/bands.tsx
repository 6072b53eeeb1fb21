/** The state of the provider, and what its status page said, on the session's axis: cause below effect. */
import type { JSX } from 'preact'
import type { Band, SessionDocument } from '../../src/session-document.ts'
import { visibleLine } from '../../src/visible-text.ts'
import { across, type TimeAxis } from './time-axis.ts'

const signs: Readonly<Record<string, string>> = { up: '', degraded: '▲', down: '✖' }

export function Bands({
  bands,
  axis,
  width,
}: {
  bands: SessionDocument['bands']
  axis: TimeAxis
  width: number
}): JSX.Element | null {
  if (bands.provider.length + bands.statusPage.length === 0) return null
  return (
    <div class="bands">
      <BandRow name="provider" bands={bands.provider} axis={axis} width={width} />
      <BandRow name="status page" bands={bands.statusPage} axis={axis} width={width} />
    </div>
  )
}

interface BandRowProps {
  name: string
  bands: readonly Band<string>[]
  axis: TimeAxis
  width: number
}

function BandRow({ name, bands, axis, width }: BandRowProps): JSX.Element | null {
  if (bands.length === 0) return null
  const isProvider = name === 'provider'
  return (
    <div class="grid-row band-row">
      <div class="label muted">{name}</div>
      <div class="plot">
        {bands.map(({ from, to, state, text }) => {
          const [x0, x1] = [axis.at(Date.parse(from)), to === null ? 1 : axis.at(Date.parse(to))]
          if (x1 <= x0) return null
          const word = [isProvider ? (signs[state] ?? '') : '', state].filter(Boolean).join(' ')
          const hasRoom = (x1 - x0) * width > word.length * 7.4 + 14
          return (
            <span
              key={from}
              class={`band band-${bandClass(state)}`}
              data-band={state}
              style={across({ x0, x1 })}
              title={visibleLine(text === '' ? state : text)}
            >
              {hasRoom ? visibleLine(word) : (signs[state] ?? '')}
            </span>
          )
        })}
      </div>
    </div>
  )
}

function bandClass(state: string): string {
  if (state === 'up' || state === 'degraded' || state === 'down') return state
  if (/operational|resolved|none/i.test(state)) return 'up'
  return /unknown|not/i.test(state) ? 'unknown' : 'degraded'
}
