/** `pnpm simulate`: plays seeds, and prints the trace of the first that breaks a promise. Exit code 1 if any does. */
import { availableParallelism } from 'node:os'
import { BadOption, count, flag, runCommand, words } from '../support/command.ts'
import { inThreads } from '../support/in-threads.ts'
import type { Batch } from './batch.ts'
import { storeNames } from './place.ts'
import type { Simulation } from './simulate.ts'

const program = new URL('./batch.js', import.meta.url)
const batchLength = 50

const code = await runCommand({
  name: 'simulate',
  flags: {
    seeds: count('how many', 100),
    seed: count('the first; with --seeds 1, its trace is printed whatever comes of it', 1),
    store: words(`${storeNames.join(', ')}; default memory; redis starts a server of its own`),
    gateway: flag('the gateway with its clients, on memory or a file'),
    json: flag('the counts as JSON'),
  },
  async run(given, tell) {
    const store = given.words('store').length === 0 ? 'memory' : given.chosen('store', storeNames)[0]!
    const gateway = given.flag('gateway')
    if (gateway && store === 'redis')
      throw new BadOption('--gateway plays on memory or a file: leases of redis expire in real time')
    const [seeds = 0, first = 0] = ['seeds', 'seed'].map(given.count)
    const counts = { store, gateway, first, seeds, entries: 0, requests: 0, simulatedMs: 0 }
    const batches = Array.from({ length: Math.ceil(seeds / batchLength) }, (_, at): Batch => {
      const begun = at * batchLength
      return { store, gateway, first: first + begun, seeds: Math.min(batchLength, seeds - begun) }
    })
    let done = 0
    const played = await inThreads<Simulation[]>(program, batches, availableParallelism(), (some) => {
      for (const { seed, findings } of some) for (const finding of findings) tell(`seed ${seed}: ${finding}`)
      tell(`${(done += some.length)} of ${seeds} seeds`)
    })
    const broken: Simulation[] = []
    for (const one of played.flat()) {
      counts.entries += one.entries
      counts.requests += one.requests
      counts.simulatedMs += one.elapsedMs
      if (one.findings.length > 0) broken.push(one)
    }
    const trace = (seeds === 1 ? played[0]?.[0] : broken[0])?.trace ?? []
    const again = broken.map(
      ({ seed }) => `Again: pnpm simulate --seeds 1 --seed ${seed} --store ${store}${gateway ? ' --gateway' : ''}`,
    )
    const { entries, requests, simulatedMs } = counts
    const hours = (simulatedMs / 3_600_000).toFixed(1)
    const sum = `${seeds} seeds on ${store}: ${entries} entries, ${requests} requests, ${hours} h simulated, ${broken.length} broken`
    return {
      results: { ...counts, broken: broken.map(({ seed, findings }) => ({ seed, findings })) },
      report: () => [...trace, ...again, sum].join('\n'),
      exitCode: broken.length === 0 ? 0 : 1,
    }
  },
})
process.exitCode = code
