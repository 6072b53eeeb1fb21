/** A command of these tests: its options, declared once for its usage and its arguments; its progress and exit code. */
import { parseArgs } from 'node:util'

export interface Flag {
  readonly kind: 'count' | 'flag' | 'words'
  readonly what: string
  /** The default of a count. */
  readonly usual?: number
}

export const count = (what: string, usual?: number): Flag => ({
  kind: 'count',
  what,
  ...(usual !== undefined && { usual }),
})
export const flag = (what: string): Flag => ({ kind: 'flag', what })
export const words = (what: string): Flag => ({ kind: 'words', what })

/** The given options. */
export interface Given {
  /** A whole number, above 0 unless that is its default; undefined if it is not given and has no default. */
  count(flag: string): number | undefined
  flag(flag: string): boolean
  words(flag: string): string[]
  /** Those of `known` that are given, each once and in the order of `known`; all of them if none is given. */
  chosen<Name extends string>(flag: string, known: readonly Name[]): readonly Name[]
}

export interface Outcome {
  /** What `--json` prints. */
  readonly results: object
  readonly report: (isMarkdown: boolean) => string
  /** Default 0. */
  readonly exitCode?: number
}

export interface Command {
  /** In `pnpm <name>`. */
  readonly name: string
  readonly flags: Readonly<Record<string, Flag>>
  run(given: Given, tell: (line: string) => void): Promise<Outcome>
}

/** Its message says what is wrong with an option. */
export class BadOption extends Error {}

/** One line for each. */
export const usageOf = (flags: Command['flags']): string =>
  Object.entries(flags)
    .map(([name, { kind, usual, what }]) => {
      const shown = kind === 'flag' ? `--${name}` : `--${name} <${kind === 'count' ? 'n' : 'name'}>`
      return `  ${shown.padEnd(23)} ${[what, usual === undefined ? '' : `default ${usual}`].filter(Boolean).join(', ')}`
    })
    .join('\n')

/** Runs it with these arguments, and prints what comes out. Resolves to its exit code: 2 for a bad option. */
export async function runCommand(
  { name, flags, run }: Command,
  argv: readonly string[] = process.argv.slice(2),
  usage = `Usage: pnpm ${name} [options]\n\n${usageOf(flags)}`,
): Promise<number> {
  const startedAt = performance.now()
  const tell = (line: string): void => {
    process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${line}\n`)
  }
  try {
    const given = read(flags, argv)
    const { results, report, exitCode = 0 } = await run(given, tell)
    console.log(given.flag('json') ? JSON.stringify(results, null, 2) : report(given.flag('md')))
    return exitCode
  } catch (error) {
    if (!(error instanceof BadOption)) throw error
    console.error(`${error.message}\n\n${usage}`)
    return 2
  }
}

function read(flags: Command['flags'], argv: readonly string[]): Given {
  const values = parsed(flags, argv)
  const counts = new Map<string, number>()
  for (const [name, { kind, usual }] of Object.entries(flags)) {
    const asked = values[name] ?? usual
    if (kind !== 'count' || asked === undefined) continue
    const number = Number(asked)
    if (!Number.isInteger(number) || number < (usual === 0 ? 0 : 1))
      throw new BadOption(`--${name} ${String(asked)} is no count`)
    counts.set(name, number)
  }
  const given: Given = {
    count: (name) => counts.get(name),
    flag: (name) => values[name] === true,
    words: (name) => [values[name] ?? []].flat().map(String),
    chosen(name, known) {
      const asked = given.words(name)
      const unknown = asked.find((one) => !known.some((other) => other === one))
      if (unknown !== undefined) throw new BadOption(`--${name} ${unknown} is none of ${known.join(', ')}`)
      return asked.length === 0 ? known : known.filter((one) => asked.includes(one))
    },
  }
  return given
}

function parsed(flags: Command['flags'], argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { kind }]) => [
      name,
      { type: kind === 'flag' ? 'boolean' : 'string', multiple: kind === 'words' } as const,
    ]),
  )
  try {
    return parseArgs({ args: [...argv], options }).values
  } catch (error) {
    throw new BadOption((error as Error).message)
  }
}
