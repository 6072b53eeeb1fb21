/**
 * Makes the commands in hints act on the same store as this command. Most hints are written in core, which does not
 * know the flags of the command line.
 */
import { shellWord } from '@lastgood/core'
import { shownAddress } from './shown-address.ts'

/** The store and the configuration that `words` name. */
export function placeIn(words: readonly string[]): { store?: string; config?: string } {
  const place: Record<string, string> = {}
  const end = words.indexOf('--')
  const own = end === -1 ? words : words.slice(0, end)
  own.forEach((word, at) => {
    const [, name, typed] = /^--(store|config)(?:=(.*))?$/.exec(word) ?? []
    const value = typed ?? own[at + 1]
    if (name !== undefined && value !== undefined) place[name] = value
  })
  return place
}

/** A session id, not the first part of a path. */
const id = /[A-Za-z0-9](?:[\w.-]*[\w-])?(?![\w/])/
const ofOne = new RegExp(
  `(?:resume|submit|show|watch|rewind|fork|export|pin|unpin|repair|prune --damaged) ${id.source}`,
)
const named = new RegExp(`\\blastgood (?:${ofOne.source}|(?:list(?: --all)?|doctor|status)\\b|import <file>)`, 'g')

/** `text` with the store and the configuration of `argv` in each command; unchanged if it names a place already. */
export function atSamePlace(text: string, argv: readonly string[]): string {
  const { store, config } = placeIn(argv)
  return withFlags(text, [
    ...(store === undefined ? [] : [`--store ${shellWord(shownAddress(store))}`]),
    ...(config === undefined ? [] : [`--config ${shellWord(config)}`]),
  ])
}

/** The same, with these flags. */
export function withFlags(text: string, flags: readonly string[]): string {
  if (flags.length === 0 || /--(?:store|config)\b/.test(text)) return text
  return text.replace(named, (command) => [command, ...flags].join(' '))
}
