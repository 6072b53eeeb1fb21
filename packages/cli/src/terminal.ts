/**
 * What an output can show. Order: the flag, then `NO_COLOR`, then `FORCE_COLOR`, then whether it is a terminal.
 * (https://no-color.org, https://force-color.org; as in Node, `FORCE_COLOR=0` and `false` turn colours off)
 */
import pc from 'picocolors'
import type { Env, Output } from './context.ts'

export const colorModes = ['auto', 'always', 'never'] as const
export type ColorMode = (typeof colorModes)[number]
export type Palette = ReturnType<typeof pc.createColors>

export interface Terminal {
  readonly palette: Palette
  /** Lines can be rewritten in place. */
  readonly isLive: boolean
  /** Width; 80 where there is none. */
  columns(): number
  /** Width of a row: unlimited unless it is a terminal, so that a search of the output misses nothing. */
  room(): number
}

export function terminalOf(output: Output, env: Env, color: ColorMode = 'auto'): Terminal {
  const isLive = output.isTTY === true && env['TERM'] !== 'dumb'
  const forced = isSet(env['FORCE_COLOR']) ? !['0', 'false'].includes(env['FORCE_COLOR']) : undefined
  const isColored = color === 'auto' ? !isSet(env['NO_COLOR']) && (forced ?? isLive) : color === 'always'
  return {
    palette: pc.createColors(isColored),
    isLive,
    columns: () => output.columns || 80,
    room: () => (output.isTTY === true ? output.columns || 80 : Infinity),
  }
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ''
