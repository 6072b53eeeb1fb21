/** `lastgood repair <session>`: reads the journal, and says how the next request will be mended. */
import {
  foldHistory,
  LastgoodError,
  machineVersion,
  ownWayOn,
  pendingRepairs,
  readHistory,
  sessionBusy,
  visitSession,
  type PendingRepairs,
  type Store,
} from '@lastgood/core'
import { setUp } from '../common-options.ts'
import { confirmed } from '../confirm.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { counted } from '../numbers.ts'
import { withSession } from '../sessions/locate.ts'
import { resumeCommandOf, type SessionRow } from '../sessions/session-row.ts'
import { terminalOf } from '../terminal.ts'
import { jsonDocument, safeLine } from '../text.ts'
import { changeLines, changesOf, type Changes } from './changes.ts'
import type { RepairOptions } from './options.ts'

export async function repairSession(context: CliContext, argument: string, options: RepairOptions): Promise<void> {
  const place = await setUp(context, options, false)
  const { flags } = place
  await withSession(context, place, argument, async (store, row) => {
    const { sessionId } = row.head
    const command = resumeCommandOf(row.head, flags)
    if (options.apply) throw appliedByItself(sessionId, command ?? ownWayOn(sessionId))
    const pending = pendingRepairs(await foldHistory(readHistory(store, sessionId), machineVersion))
    const changes = changesOf(pending.messages, pending.edits, pending.repairs, (at) => turnOf(pending, at))
    if (!options.json) tell(context, options, { store, row, pending, changes })
    const { edits, standing, rungs } = pending.inForce
    const inForce = edits.length + standing.length + rungs.length
    const isWanted = options.revert === true && inForce > 0
    if (isWanted && !(await reverted(context, options, store, row))) return
    if (pending.unrepairable && pending.messages.length > 0) context.setExitCode(exitCodes.failed)
    if (options.json) {
      const document = {
        schema: 'lastgood.repair/v1',
        store: store.location,
        sessionId,
        messages: pending.messages.length,
        ...changes,
        inForce: { edits: edits.length, rules: standing, rungs },
        unrepairable: pending.unrepairable?.what ?? null,
        applied: false,
        reverted: isWanted,
        command: command ?? null,
      }
      context.stdout.write(jsonDocument(document))
    } else close(context, { options, changes, inForce, command: command ?? ownWayOn(sessionId), isReverted: isWanted })
  })
}

async function reverted(context: CliContext, options: RepairOptions, store: Store, row: SessionRow): Promise<boolean> {
  const { sessionId } = row.head
  if (row.holder) throw sessionBusy({ sessionId, ...row.holder }, row.head)
  const question = `Send what ${safeLine(sessionId)} recorded again, without its repairs?`
  if (!(await confirmed(context, question, options))) return false
  await visitSession(sessionId, { store, clock: context.clock }, (session) =>
    session.revertRepairs('lastgood repair --revert'),
  )
  return true
}

function tell(
  { stdout, stderr, env }: CliContext,
  { color }: RepairOptions,
  { store, row, pending, changes }: { store: Store; row: SessionRow; pending: PendingRepairs; changes: Changes },
): void {
  const { messages, inForce, unrepairable } = pending
  const { columns, palette } = terminalOf(stdout, env, color)
  stderr.write(
    `session  ${safeLine(row.head.sessionId)} in ${safeLine(store.location)}, ${counted(messages.length, 'message')}\n`,
  )
  const { edits, standing, rungs } = inForce
  if (edits.length + standing.length + rungs.length > 0) {
    const rules = standing.length === 0 ? '' : `, rules ${safeLine(standing.join(', '))}`
    const elsewhere = rungs.map(({ model, rule }) => `, for ${safeLine(model)} ${safeLine(rule)}`).join('')
    stderr.write(`in force ${counted(edits.length, 'edit')}${rules}${elsewhere}\n`)
  }
  for (const line of changeLines(changes, columns(), palette)) stdout.write(`${line}\n`)
  if (unrepairable && messages.length > 0) stderr.write(`error: this cannot be repaired: ${unrepairable.what}\n`)
}

interface Outcome {
  options: RepairOptions
  changes: Changes
  inForce: number
  /** The command that goes on with the session. */
  command: string
  isReverted: boolean
}

function close({ stderr }: CliContext, { options, changes, inForce, command, isReverted }: Outcome): void {
  const isSound = changes.changes.length + changes.whole.length === 0
  if (options.revert) {
    stderr.write(isReverted ? '✔ taken back: what is recorded is sent again\n' : 'nothing to take back\n')
    return
  }
  if (isSound) stderr.write('✔ nothing to repair\n')
  else stderr.write(`this is done when its next request is sent, and journaled once the API accepts it\n${command}\n`)
  if (inForce > 0) stderr.write('--revert takes back what is in force\n')
}

function turnOf({ turns }: PendingRepairs, message: number): number {
  return turns.findLast(({ from }) => from <= message)?.turn ?? 0
}

function appliedByItself(sessionId: string, command: string): LastgoodError {
  return new LastgoodError('bad-option', `session ${sessionId} is repaired when its next request is sent`, {
    hint: `continue it: ${command}; a repair is journaled once the API accepts it, so --apply is for files`,
    details: { sessionId },
  })
}
