/**
 * `lastgood doctor`: what endangers the promises here, and the one command that mends each. It changes nothing, and
 * goes on where it can: a breakage is a finding, not the end of the examination.
 */
import { Command } from 'commander'
import { isLastgoodError, type Finding } from '@lastgood/core'
import { setUp, withCommonOptions, type CommonOptions, type SetUp } from '../common-options.ts'
import { agentNames, type LoadedConfig } from '../config.ts'
import type { CliContext } from '../context.ts'
import { iso } from '../durations.ts'
import { exitCodes } from '../exit-codes.ts'
import { failureOf } from '../failure.ts'
import { atSamePlace } from '../same-place.ts'
import { sessionRows } from '../sessions/session-row.ts'
import { storeLine } from '../stores.ts'
import { terminalOf } from '../terminal.ts'
import { jsonDocument } from '../text.ts'
import { reportLines } from './report-lines.ts'
import { about, countOf, unusable, worstFirst, type DoctorFinding, type DoctorReport } from './report.ts'
import { tryHistories } from './histories.ts'
import { sessionFindings } from './session-findings.ts'
import { brokenConfigFinding, credentialFindings, missingConfigFinding, nodeFindings } from './set-up-findings.ts'

export function doctorCommand(context: CliContext): Command {
  return withCommonOptions(new Command('doctor'))
    .summary('check what puts sessions at risk here, and how to fix it')
    .description('check what puts sessions at risk here (Node, configuration, store, damage), and how to fix it')
    .addHelpText(
      'after',
      '\nRead-only. Exit codes: 0 no danger, 1 danger.\n\nExample, before a deploy:\n  lastgood doctor --store redis://127.0.0.1:6379 || exit 1',
    )
    .action((options: CommonOptions) => doctor(context, options))
}

async function doctor(context: CliContext, options: CommonOptions): Promise<void> {
  const { node, env, clock } = context
  const findings = nodeFindings(node.version, clock.now()).map(about('node'))
  const set = await configured(context, options)
  findings.push(...set.findings.map(about('configuration')), ...credentialFindings(env).map(about('credentials')))
  const examined = set.place ? await examine(context, set.place, set.loaded) : { findings: [] }
  findings.push(...examined.findings)
  const report: DoctorReport = {
    nodeVersion: node.version,
    configuration: set.loaded && { path: set.loaded.path, agents: [...agentNames(set.loaded.config)] },
    hasApiKey: Boolean(env['ANTHROPIC_API_KEY']),
    store: examined.store,
    sessions: examined.sessions,
    findings: worstFirst(findings),
  }
  const dangers = countOf(findings, 'danger')
  if (dangers > 0) context.setExitCode(exitCodes.failed)
  if (options.json) context.stdout.write(jsonDocument(reportJson(report, clock.now())))
  else print(context, options, report)
}

/** `place` is absent where the configuration would have named the store but cannot be loaded. */
async function configured(
  context: CliContext,
  options: CommonOptions,
): Promise<{ place?: SetUp; loaded?: LoadedConfig | undefined; findings: Finding[] }> {
  let place: SetUp | undefined
  try {
    place = await setUp(context, options, true)
    const loaded = place.config()
    return { place, loaded, findings: loaded ? [] : [missingConfigFinding(context.cwd)] }
  } catch (error) {
    return { ...(place && { place }), findings: [brokenConfigFinding(error)] }
  }
}

type Examined = Partial<Pick<DoctorReport, 'store' | 'sessions'>> & { findings: DoctorFinding[] }

async function examine(context: CliContext, place: SetUp, loaded: LoadedConfig | undefined): Promise<Examined> {
  const [choice] = place.choices
  const opened = await choice.open().catch((error: unknown) => ({ error }))
  if ('error' in opened) return { findings: [about('store')(unreachable(opened.error, choice.source))] }
  const { store, source } = opened
  try {
    const here = { location: store.location, source }
    const known = await store.findings().catch((error: unknown) => [unreachable(error, source)])
    const { rows, failure } = await sessionRows(store, context.clock.now())
    const facts = {
      now: context.clock.now(),
      flags: place.flags,
      cwd: context.cwd,
      agents: loaded && agentNames(loaded.config),
    }
    const damaged = failure === undefined ? [] : [damage(failure, source)]
    const { tried, findings } = await tryHistories(store, rows, context.clock, [...known, ...damaged])
    const recoverable = rows.filter(({ isRecoverable }) => isRecoverable).length
    return {
      store: here,
      sessions: { total: rows.length, recoverable, tried },
      findings: [
        ...known.map(about('store')),
        ...damaged.filter((one) => !known.some((other) => saysAll(other, one))).map(about('sessions')),
        ...findings.map(about('sessions')),
        ...sessionFindings(rows, facts).map(about('sessions')),
        // A store does not know which flags led the command line to it.
      ].map((one) => ({ ...one, mend: atSamePlace(one.mend, context.argv) })),
    }
  } finally {
    await opened.close()
  }
}

/** What the store reported itself. The text for several damaged sessions begins with that for one of them. */
const saysAll = (known: Finding, { what, risk }: Finding): boolean =>
  what.startsWith(known.what) || (risk === unusable && known.risk === unusable)

function unreachable(error: unknown, source: string): Finding {
  const { message, causes, hint } = failureOf(error)
  return {
    severity: 'danger',
    what: `the store (${source}) cannot be used: ${[message, ...causes].join(': ')}`,
    risk: unusable,
    mend: hint ?? 'lastgood doctor --store <url>',
  }
}

/** A list's failure: of one session, or of the store. */
function damage(error: unknown, source: string): Finding {
  if (isLastgoodError(error, 'store-unavailable')) return unreachable(error, source)
  const { message, hint } = failureOf(error)
  const risk = 'this session cannot continue; the others can (P1)'
  return { severity: 'danger', what: message, risk, mend: hint ?? 'lastgood list --all' }
}

function print({ stdout, stderr, env }: CliContext, { color }: CommonOptions, report: DoctorReport): void {
  const { palette, columns } = terminalOf(stdout, env, color)
  if (report.store) stderr.write(`${storeLine(report.store.location, report.store.source)}\n`)
  for (const line of reportLines(report, columns(), palette)) stdout.write(`${line}\n`)
}

function reportJson({ nodeVersion, configuration, hasApiKey, store, sessions, findings }: DoctorReport, now: number) {
  return {
    schema: 'lastgood.doctor/v1',
    at: iso(now),
    store: store?.location ?? null,
    source: store?.source ?? null,
    node: nodeVersion,
    configuration: configuration ?? null,
    apiKeySet: hasApiKey,
    sessions: sessions ?? null,
    findings,
    dangers: countOf(findings, 'danger'),
    warnings: countOf(findings, 'warning'),
  }
}
