/**
 * What may stand at the cursor of a command line, from commander's own tree: commands, options, option values, session
 * ids. Pure, except for the ids, which are read only where one belongs.
 *
 * 1. Where nothing is known there are no candidates: the shell then offers files.
 * 2. The tree is the program's own, so that a new command is completed without a change here.
 */
import type { Command, Option } from 'commander'
import type { StoreOptions } from '../common-options.ts'
import { placeIn } from '../same-place.ts'

export interface Candidate {
  readonly value: string
  readonly about: string
}

/** The sessions whose ids begin with `prefix`, in the store that `words` name. */
export type Ids = (words: StoreOptions, prefix: string) => Promise<readonly Candidate[]>

/** `words`: all words after the program's name, up to the cursor; the last is being typed and may be empty. */
export async function candidatesFor(program: Command, words: readonly string[], ids: Ids): Promise<Candidate[]> {
  const [before, current] = atCursor(words)
  const all = await allAt(program, before, current, ids)
  return all.filter(({ value }) => value.startsWith(current))
}

/** Bash splits `--color=always` at its `=`, and an address at its `:`. */
function atCursor(words: readonly string[]): [string[], string] {
  const whole: string[] = []
  let isApart = true
  for (const word of words) {
    const isColon = /^:+$/.test(word)
    if ((isColon || !isApart) && whole.length > 0) whole.push(`${whole.pop() ?? ''}${word}`)
    else whole.push(word)
    isApart = !isColon
  }
  const current = whole.pop() ?? ''
  return [whole.filter((word) => word !== '='), current === '=' ? '' : current]
}

async function allAt(program: Command, before: string[], current: string, ids: Ids): Promise<Candidate[]> {
  const [name, ...rest] = before
  if (name === undefined) return current.startsWith('-') ? optionsOf(program, []) : commandsOf(program)
  if (name === 'help') return rest.length === 0 ? commandsOf(program) : []
  const command = program.commands.find((one) => one.name() === name || one.aliases().includes(name))
  if (!command) return []
  const { positionals, isOver, pending, given } = readWords(command, rest)
  const sessions = (prefix = current) => ids(placeIn(rest), prefix)
  if (pending && !(pending.variadic && current.startsWith('-'))) return valuesOf(pending, sessions)
  const [, option = '', typed] = /^(--[^=]+)=(.*)$/.exec(current) ?? []
  if (typed !== undefined) {
    const known = findOption(command, option)
    const values = known ? await valuesOf(known, () => sessions(typed)) : []
    return values.map(({ value, about }) => ({ value: `${option}=${value}`, about }))
  }
  if (current.startsWith('-') && !isOver) return optionsOf(command, given)
  if (isOver && command.name() === 'run') return []
  const argument = command.registeredArguments[positionals]
  if (argument?.argChoices) return argument.argChoices.map((value) => ({ value, about: '' }))
  return argument && isSession(argument.name()) ? withLast(await sessions()) : []
}

const commandsOf = (program: Command): Candidate[] =>
  program
    .createHelp()
    .visibleCommands(program)
    .map((command) => ({ value: command.name(), about: command.description() }))

function optionsOf(command: Command, given: readonly Option[]): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => option.long && (option.variadic || !given.some((one) => one.long === option.long)))
    .map((option) => ({ value: option.long ?? '', about: option.description }))
}

async function valuesOf(option: Option, sessions: () => Promise<readonly Candidate[]>): Promise<Candidate[]> {
  if (option.argChoices) return option.argChoices.map((value) => ({ value, about: '' }))
  return isSession(/[<[]([^>\]]+)/.exec(option.flags)?.[1] ?? '') ? [...(await sessions())] : []
}

const isSession = (name: string): boolean => /^session\b/.test(name)

const withLast = (sessions: readonly Candidate[]): Candidate[] => [
  ...(sessions.length > 0 ? [{ value: 'last', about: "this folder's most recently written session" }] : []),
  ...sessions,
]

interface Read {
  /** The number of non-option arguments before the cursor. */
  positionals: number
  /** After `--`. */
  isOver: boolean
  /** The option whose value is at the cursor. */
  pending: Option | undefined
  given: Option[]
}

function readWords(command: Command, words: readonly string[]): Read {
  const read: Read = { positionals: 0, isOver: false, pending: undefined, given: [] }
  for (const word of words) {
    if (read.isOver) read.positionals += 1
    else if (word === '--') read.isOver = true
    else if (word.startsWith('-')) {
      const [name = '', value] = word.split('=', 2)
      const option = findOption(command, name)
      if (option) read.given.push(option)
      read.pending = option?.required && value === undefined ? option : undefined
      continue
    } else if (read.pending) {
      if (read.pending.variadic) continue
    } else read.positionals += 1
    read.pending = undefined
  }
  return read
}

const findOption = (command: Command, name: string): Option | undefined =>
  command.options.find(({ long, short }) => name === long || name === short)
