/** `pnpm simulate`: plays seeds, and prints the trace of one that breaks a promise. Exit code 1 if any does. */
import { count, runCommand, words, flag } from '../support/command.ts'
import { openPlace, storeNames } from './place.ts'
import { simulate, type Simulation } from './simulate.ts'

const code = await runCommand({
  name: 'simulate',
  flags: {
    seeds: count('how many, one after the other', 100),
    seed: count('the first; with --seeds 1, its trace is printed whatever comes of it', 1),
    store: words(`${storeNames.join(', ')}; redis starts a server of its own; default memory`),
    json: flag('the counts as JSON'),
  },
  async run(given, tell) {
    const [store = 'memory'] = given.words('store').length === 0 ? [] : given.chosen('store', storeNames)
    const [seeds = 0, first = 0] = ['seeds', 'seed'].map(given.count)
    const place = await openPlace(store)
    const broken: Simulation[] = []
    const counts = { store, first, seeds, broken: 0, entries: 0, requests: 0, simulatedHours: 0 }
    let last: Simulation | undefined
    for (let seed = first; seed < first + seeds; seed += 1) {
      last = await simulate(seed, place.options)
      counts.entries += last.entries
      counts.requests += last.requests
      counts.simulatedHours += last.elapsedMs / 3_600_000
      if (last.findings.length > 0) {
        broken.push(last)
        tell(`seed ${seed}: ${last.findings.join('; ')}`)
      }
      if ((seed - first + 1) % 100 === 0) tell(`${seed - first + 1} of ${seeds} seeds`)
    }
    await place.close()
    counts.broken = broken.length
    const shown = broken[0] ?? (seeds === 1 ? last : undefined)
    const verdict = broken.map(
      ({ seed }) => `Seed ${seed} breaks a promise: pnpm simulate --seeds 1 --seed ${seed} --store ${store}`,
    )
    return {
      results: { ...counts, findings: broken.map(({ seed, findings }) => ({ seed, findings })) },
      report: () =>
        [
          ...(shown?.trace ?? []),
          ...verdict,
          `${seeds} seeds from ${first} on ${store}: ${counts.entries} entries, ${counts.requests} requests, ${counts.simulatedHours.toFixed(1)} h simulated, ${broken.length} broken`,
        ].join('\n'),
      exitCode: broken.length === 0 ? 0 : 1,
    }
  },
})
// The SDK's timers for requests of processes that died would hold this one for minutes.
process.exit(code)
