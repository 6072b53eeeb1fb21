/** `pnpm simulate`: plays seeds, and prints the trace of the first that breaks a promise. Exit code 1 if any does. */
import { count, flag, runCommand, words } from '../support/command.ts'
import { openPlace, storeNames } from './place.ts'
import { simulate, type Simulation } from './simulate.ts'

const code = await runCommand({
  name: 'simulate',
  flags: {
    seeds: count('how many', 100),
    seed: count('the first; with --seeds 1, its trace is printed whatever comes of it', 1),
    store: words(`${storeNames.join(', ')}; default memory; redis starts a server of its own`),
    json: flag('the counts as JSON'),
  },
  async run(given, tell) {
    const store = given.words('store').length === 0 ? 'memory' : given.chosen('store', storeNames)[0]!
    const [seeds = 0, first = 0] = ['seeds', 'seed'].map(given.count)
    const place = await openPlace(store)
    const counts = { store, first, seeds, entries: 0, requests: 0, simulatedMs: 0 }
    const broken: Pick<Simulation, 'seed' | 'findings'>[] = []
    let trace: readonly string[] = []
    for (let seed = first; seed < first + seeds; seed += 1) {
      const { findings, ...played } = await simulate(seed, place.options)
      counts.entries += played.entries
      counts.requests += played.requests
      counts.simulatedMs += played.elapsedMs
      if (broken.length === 0 && (findings.length > 0 || seeds === 1)) trace = played.trace
      if (findings.length > 0) broken.push({ seed, findings })
      for (const finding of findings) tell(`seed ${seed}: ${finding}`)
      if ((seed - first + 1) % 100 === 0) tell(`${seed - first + 1} of ${seeds} seeds`)
    }
    await place.close()
    const again = broken.map(({ seed }) => `Again: pnpm simulate --seeds 1 --seed ${seed} --store ${store}`)
    const { entries, requests, simulatedMs } = counts
    const hours = (simulatedMs / 3_600_000).toFixed(1)
    const sum = `${seeds} seeds on ${store}: ${entries} entries, ${requests} requests, ${hours} h simulated, ${broken.length} broken`
    return {
      results: { ...counts, broken },
      report: () => [...trace, ...again, sum].join('\n'),
      exitCode: broken.length === 0 ? 0 : 1,
    }
  },
})
// The SDK's timers for requests of processes that died would hold this one for minutes.
process.exit(code)
