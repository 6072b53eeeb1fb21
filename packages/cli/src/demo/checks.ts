/**
 * The verdict's checks: each claim with the way to refute it. Pure.
 *
 * No claim rests on one witness: what the journal says is compared with the lab, the referee's file or the repository.
 */
import { foldJournal } from '@lastgood/core'
import type { Check } from './check.ts'
import type { Evidence } from './evidence.ts'
import { callsIn, endedTurns, isMigration, ofType } from './facts.ts'
import { healingChecks } from './healing-checks.ts'
import { labChecks } from './lab-checks.ts'
import { migrationLine } from './project.ts'

export const checks: readonly Check[] = [
  {
    name: 'the resumed process ended well',
    find: ({ resumeExitCode }) => resumeExitCode !== 0 && `its exit code is ${String(resumeExitCode)}`,
  },
  {
    name: 'the journal is whole, and its head says what its fold says',
    async find({ atEnd: { entries, head } }) {
      const gap = entries.findIndex(({ seq }, i) => seq !== i + 1)
      if (gap >= 0) return `entry ${gap + 1} is missing`
      const { snapshot, seq } = await foldJournal(entries, 'none of the heads')
      const folded = [seq, snapshot.value, snapshot.context.turn, snapshot.context.lastGoodTurn]
      const said = [head?.seq, head?.machine.value, head?.turn, head?.lastGoodTurn]
      return JSON.stringify(folded) !== JSON.stringify(said) && `fold ${folded.join('/')}, head ${said.join('/')}`
    },
  },
  {
    name: 'what was durable at the kill is still there',
    find({ atKill, atEnd }) {
      const changed = atKill.entries.findIndex((entry, i) => JSON.stringify(entry) !== JSON.stringify(atEnd.entries[i]))
      if (atKill.entries.length === 0) return 'nothing was durable'
      return changed >= 0 && `entry ${changed + 1} has changed`
    },
  },
  {
    name: 'no turn was lost',
    find({ prompts, atEnd: { entries } }) {
      if (ofType(entries, 'rewound').length > 0) return 'the conversation was rewound'
      const ended = endedTurns(prompts, entries)
      return ended !== prompts.length && `${prompts.length} turns were asked for, ${ended} ended`
    },
  },
  {
    name: 'the kill hit the migration while it ran',
    find({ sessionId, atKill, effects }) {
      const call = callsIn(sessionId, atKill.entries).find(({ command }) => isMigration(command))
      if (!call) return 'the journal has no such call at the kill'
      if (call.outcome !== undefined) return 'the journal has its result at the kill'
      const phases = effects.filter(({ key }) => key === call.key).map(({ phase }) => phase)
      return phases.join() !== 'start' && `the referee saw of it: ${phases.join(', ') || 'nothing'}`
    },
  },
  {
    name: 'another process, with another machine, continued from there',
    find({ atKill, atEnd }) {
      const next = atEnd.entries[atKill.entries.length]
      const [opened] = ofType(atEnd.entries, 'session-opened')
      if (next?.type !== 'session-resumed') return `the entry after the kill is ${next?.type ?? 'missing'}`
      if (next.owner.pid === opened?.owner.pid) return 'it is the same process'
      if (next.fence <= (opened?.fence ?? Infinity)) return 'its fence did not grow'
      if (next.refolded !== true) return 'the journal was not replayed'
      return atKill.head?.machine.version === atEnd.head?.machine.version && 'the machine has the same version'
    },
  },
  {
    name: 'the model was told that the outcome is unknown',
    find({ sessionId, atEnd: { entries } }) {
      const outcomes = callsIn(sessionId, entries).flatMap(({ command, outcome }) =>
        isMigration(command) ? [outcome] : [],
      )
      return outcomes[0] !== 'in-doubt' && `the migration's result is ${outcomes[0] ?? 'missing'}`
    },
  },
  {
    name: 'no tool ran twice',
    find: (evidence) => toolsRunTwice(evidence) > 0 && `${toolsRunTwice(evidence)} ran more than once`,
  },
  {
    name: 'journal and referee saw the same calls',
    find({ sessionId, atEnd: { entries }, effects }) {
      const calls = callsIn(sessionId, entries)
      for (const { key, name, outcome } of calls) {
        const seen = effects.flatMap((effect) => (effect.key === key ? [effect.phase] : [])).join()
        const wanted = outcome === 'ran' ? 'start,end' : outcome === 'in-doubt' ? 'start' : ''
        if (seen !== wanted)
          return `${name} (${key}): the journal says ${outcome ?? 'nothing'}, the referee ${seen || 'nothing'}`
      }
      const unknown = effects.find(({ key }) => !calls.some((call) => call.key === key))
      return unknown && `the journal does not know the call ${unknown.key}`
    },
  },
  {
    name: 'the repository has the work, and the migration once',
    find({ repository: { ledger, committedLedger, commits, isClean } }) {
      const count = (lines: readonly string[]) => lines.filter((line) => line === migrationLine).length
      if (count(ledger) !== 1) return `migrations.log has ${count(ledger)} lines of the migration`
      if (count(committedLedger) !== 1) return 'the migration is not in the last commit'
      if (commits.length < 2) return 'nothing was committed'
      return !isClean && 'changes are left that were not committed'
    },
  },
  {
    name: "the repository's tests pass",
    find({ repository: { tests } }) {
      const { exitCode, pass, fail } = tests
      return (
        !(exitCode === 0 && pass > 0 && fail === 0) && `exit code ${String(exitCode)}, ${pass} passed, ${fail} failed`
      )
    },
  },
  ...labChecks,
  ...healingChecks,
]

/** Calls started more than once, plus runs of the migration beyond the first (the higher of referee and ledger). */
export function toolsRunTwice({ effects, repository: { ledger } }: Evidence): number {
  const starts = effects.filter(({ phase }) => phase === 'start')
  const repeated = starts.length - new Set(starts.map(({ key }) => key)).size
  const migrations = new Set(starts.filter(({ command }) => isMigration(command)).map(({ key }) => key)).size
  const applied = ledger.filter((line) => line === migrationLine).length
  return repeated + Math.max(0, migrations - 1, applied - 1)
}
