/**
 * `pnpm bench <name>`: the numbers of docs/benchmarks.md, docs/at-rest.md, docs/scaling.md and docs/performance.md. Exit
 * code 1 when a rule is broken.
 */
import { parseArgs } from 'node:util'
import { benches } from './benches.ts'
import { surroundings } from './report.ts'

const common = { json: { type: 'boolean' }, md: { type: 'boolean' } } as const

function usage(): string {
  const about = Object.entries(benches).map(([name, { about: what, flags }]) => {
    const options = Object.entries(flags).map(([flag, { kind, usual, what: does }]) => {
      const shown = kind === 'flag' ? `--${flag}` : `--${flag} <${kind === 'count' ? 'n' : 'name'}>`
      return `  ${shown.padEnd(23)} ${[does, usual === undefined ? '' : `default ${usual}`].filter(Boolean).join(', ')}`
    })
    return [`${`${name}:`.padEnd(9)} ${what}`, ...options].join('\n')
  })
  return [
    `Usage: pnpm bench ${Object.keys(benches).join('|')} [options]`,
    '  --json, --md            results as JSON, or tables in Markdown',
    ...about,
  ].join('\n\n')
}

function readArguments() {
  const [name = '', ...argv] = process.argv.slice(2)
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined
  if (!bench) return undefined
  const options = Object.fromEntries(
    Object.entries(bench.flags).map(([flag, { kind }]) => [
      flag,
      { type: kind === 'flag' ? 'boolean' : 'string', multiple: kind === 'words' } as const,
    ]),
  )
  try {
    const { values } = parseArgs({ args: argv, options: { ...options, ...common } })
    return { name, bench, values: values as Readonly<Record<string, string | string[] | boolean | undefined>> }
  } catch {
    return undefined // an option that is not known
  }
}

async function main(): Promise<number> {
  const asked = readArguments()
  if (!asked) return refuse()
  const { name, bench, values } = asked
  const counts = Object.entries(bench.flags).flatMap(([flag, { kind, usual }]) =>
    kind === 'count' && (values[flag] ?? usual) !== undefined ? [[flag, Number(values[flag] ?? usual)] as const] : [],
  )
  if (!counts.every(([, count]) => Number.isInteger(count) && count > 0)) return refuse()
  const numbers = new Map(counts)

  const startedAt = performance.now()
  const running = bench.run(
    {
      count: (flag) => numbers.get(flag),
      flag: (flag) => values[flag] === true,
      words: (flag) => [values[flag] ?? []].flat().map(String),
    },
    (line) => {
      process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${line}\n`)
    },
  )
  if (!running) return refuse()
  const at = surroundings()
  const { results, report, isBroken = false } = await running
  console.log(
    values['json'] === true
      ? JSON.stringify({ bench: name, ...at, ...results }, null, 2)
      : report(values['md'] === true, at),
  )
  return isBroken ? 1 : 0
}

function refuse(): number {
  console.error(usage())
  return 2
}

process.exitCode = await main()
