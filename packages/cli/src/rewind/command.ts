/**
 * `lastgood rewind`: continues the conversation from the end of an earlier turn. The journal keeps what came after it;
 * what its tools did is not undone.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  foldHistory,
  LastgoodError,
  machineVersion,
  readHistory,
  sessionBusy,
  visitSession,
  type Store,
} from '@lastgood/core'
import type { TurnReport } from '@lastgood/dashboard'
import { sessionWords, setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import { confirmed } from '../confirm.ts'
import type { CliContext } from '../context.ts'
import { exampleOf } from '../help-example.ts'
import { assertNoClients } from '../sessions/client-command.ts'
import { withSession } from '../sessions/locate.ts'
import { goOnLines, ownWords, resumeCommandOf } from '../sessions/session-row.ts'
import { SessionReport } from '../show/report.ts'
import { jsonDocument, safeLine, shorten } from '../text.ts'

interface RewindOptions extends CommonOptions {
  turn: number
  yes?: boolean
  dryRun?: boolean
}

export function rewindCommand(context: CliContext): Command {
  return withCommonOptions(new Command('rewind'))
    .summary('go back to the end of an earlier turn')
    .description('go back to the end of an earlier turn; the journal keeps what came after it')
    .argument('<session>', sessionWords)
    .addOption(
      new Option('--turn <n>', 'the turn that becomes the last one; 0: none')
        .argParser(turnOrNone)
        .makeOptionMandatory(),
    )
    .option('--dry-run', 'only show what would be dropped from the conversation')
    .option('--yes', 'do not ask')
    .addHelpText('after', exampleOf('lastgood rewind fix-auth --turn 2 --dry-run', 'lastgood rewind fix-auth --turn 2'))
    .action((argument: string, options: RewindOptions) => rewind(context, argument, options))
}

async function rewind(context: CliContext, argument: string, options: RewindOptions): Promise<void> {
  const place = await setUp(context, options, true)
  const { flags } = place
  await withSession(context, place, argument, async (store, row) => {
    const { sessionId } = row.head
    assertNoClients(row.head, place)
    if (row.holder) throw sessionBusy({ sessionId, ...row.holder }, row.head)
    const standing = await standingOf(store, sessionId)
    const dropped = droppedBy(sessionId, standing, options.turn)
    const isWanted = dropped.length > 0 && !options.dryRun
    if (!options.json) tell(context, sessionId, options.turn, dropped)
    const question = `Rewind ${sessionId} to turn ${options.turn}?`
    if (isWanted && !(await confirmed(context, question, options))) return
    if (isWanted) {
      await visitSession(sessionId, { store, clock: context.clock }, async (session) => {
        if (session.seq !== standing.seq) throw writtenMeanwhile(sessionId)
        await session.rewind(options.turn, 'lastgood rewind')
      })
    }
    if (options.json) {
      const command = resumeCommandOf(row.head, flags) ?? null
      const turns = dropped.map(({ turn, state, message, steps }) => ({ turn, state, message, tools: toolsIn(steps) }))
      const document = {
        schema: 'lastgood.rewind/v1',
        store: store.location,
        sessionId,
        turn: options.turn,
        rewound: isWanted,
        dropped: turns,
        command,
      }
      context.stdout.write(jsonDocument(document))
    } else if (isWanted)
      context.stderr.write(`✔ the last good turn is turn ${options.turn}\n${goOnLines(row.head, flags, ownWords)}`)
  })
}

interface Standing {
  report: SessionReport
  /** Of the session's own last entry. */
  seq: number
  /** The turns that it can go back to. */
  ended: readonly number[]
}

async function standingOf(store: Store, sessionId: string): Promise<Standing> {
  const report = new SessionReport()
  async function* reported() {
    for await (const one of readHistory(store, sessionId)) {
      report.take(one.entry, one.isInherited)
      yield one
    }
  }
  const { transcript, seq } = await foldHistory(reported(), machineVersion)
  return { report, seq, ended: transcript.turns.flatMap(({ turn, to }) => (to === undefined ? [] : [turn])) }
}

/** The turns after `turn`. Throws `bad-option` if `turn` has not ended, or is no longer part of the conversation. */
function droppedBy(sessionId: string, { report, ended }: Standing, turn: number): TurnReport[] {
  if (turn !== 0 && !ended.includes(turn)) {
    throw new LastgoodError('bad-option', `session ${sessionId}: there is no finished turn ${turn} to go back to`, {
      hint: `finished turns: ${ended.join(', ') || 'none'}; lastgood show ${sessionId} shows them`,
      details: { sessionId, turns: ended },
    })
  }
  return report.turns.filter((one) => one.state !== 'rewound' && one.turn > turn)
}

function tell(context: CliContext, sessionId: string, turn: number, dropped: readonly TurnReport[]): void {
  const { stdout, stderr } = context
  if (dropped.length === 0) {
    stderr.write(`nothing to rewind: turn ${turn} is the last turn of ${safeLine(sessionId)}\n`)
    return
  }
  stderr.write(`dropped from the conversation of ${safeLine(sessionId)}; its journal keeps it:\n`)
  for (const { turn: number, state, message, steps } of dropped) {
    const tools = toolsIn(steps)
    const ran = tools.length === 0 ? '' : `  (ran ${tools.join(', ')})`
    stdout.write(`turn ${number} ${state}  ${shorten(message, 60)}${ran}\n`)
  }
  if (dropped.some(({ steps }) => toolsIn(steps).length > 0)) stderr.write('what their tools did is not undone\n')
}

/** The names of the tools that were started, in order. */
function toolsIn(steps: TurnReport['steps']): string[] {
  const names = steps.flatMap((step) => (step.kind === 'tool' && step.outcome !== 'refused' ? [step.name] : []))
  return [...new Set(names)]
}

function writtenMeanwhile(sessionId: string): LastgoodError {
  return new LastgoodError('journal-conflict', `session ${sessionId} was written while you were asked`, {
    hint: 'run the same again, and look at what it lists',
    details: { sessionId },
  })
}

function turnOrNone(text: string): number {
  if (/^(0|[1-9]\d{0,8})$/.test(text)) return Number(text)
  throw new InvalidArgumentError('turns count from 1; 0 is the beginning.')
}
