/**
 * `pnpm bench <name>`: the numbers of docs/benchmarks.md, docs/at-rest.md, docs/scaling.md and docs/performance.md. Exit
 * code 1 when a rule is broken.
 */
import { flag, runCommand, usageOf } from '../support/command.ts'
import { benches } from './benches.ts'

const usage = [
  `Usage: pnpm bench ${Object.keys(benches).join('|')} [options]`,
  '  --json, --md            results as JSON, or tables in Markdown',
  ...Object.entries(benches).map(([name, { about, flags }]) =>
    [`${`${name}:`.padEnd(9)} ${about}`, usageOf(flags)].join('\n').trimEnd(),
  ),
].join('\n\n')

const [name = '', ...argv] = process.argv.slice(2)
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined
if (bench) {
  const command = {
    name: `bench ${name}`,
    flags: { ...bench.flags, json: flag(''), md: flag('') },
    run: async (...args: Parameters<typeof bench.run>) => {
      const { results, ...outcome } = await bench.run(...args)
      return { ...outcome, results: { bench: name, ...results } }
    },
  }
  process.exitCode = await runCommand(command, argv, usage)
} else {
  console.error(usage)
  process.exitCode = 2
}
