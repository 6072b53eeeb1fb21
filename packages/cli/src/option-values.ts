/** Option values that several commands parse, for commander, which reports a wrong one with the option's name. */
import { InvalidArgumentError } from 'commander'
import { durationIn } from './durations.ts'

/** In ms. `right`: the message for a value that is not a duration. */
export function durationOption(right: string): (text: string) => number {
  return (text) => {
    const durationMs = durationIn(text)
    if (durationMs === undefined) throw new InvalidArgumentError(right)
    return durationMs
  }
}

export function portOption(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number <= 65_535) return number
  throw new InvalidArgumentError('a port is a number from 0 to 65535.')
}

export function turnOption(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('turns count from 1.')
}
