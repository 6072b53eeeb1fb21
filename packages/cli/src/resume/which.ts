/**
 * `resume` without a session: a picker if somebody can pick, else the list of what can be resumed, with the commands.
 */
import { helpedBy, ownWayOn, type Store } from '@lastgood/core'
import { setUp, type SetUp } from '../common-options.ts'
import type { CliContext, Keyboard, StopSignal } from '../context.ts'
import { exitCodes, signalCodes } from '../exit-codes.ts'
import { failureJson, failureOf, writeFailure } from '../failure.ts'
import { elsewhere } from '../sessions/elsewhere.ts'
import { noneYet } from '../sessions/locate.ts'
import { sessionJson } from '../sessions/session-json.ts'
import { goOnLines, typedCommandOf, sessionRows, type SessionRow } from '../sessions/session-row.ts'
import { placeText, type OpenStore } from '../stores.ts'
import { terminalOf } from '../terminal.ts'
import { commandLine, joined, jsonLine, safeLine } from '../text.ts'
import type { SessionChoice } from './choices.ts'
import { clientCommand } from '../sessions/client-command.ts'
import { firstWordsOf } from '../sessions/first-words.ts'
import { resume, type ResumeOptions } from './resume.ts'

/** The first words of at most this many sessions are read; the others are shown without. */
const mostRead = 50
/** The columns that the picker puts before a row: a bar and a dot. */
const roomForMarks = 5

/** What was picked, or the exit code if nothing was. */
type Answer = { readonly sessionId: string; readonly message: string | undefined } | { readonly exitCode: number }

export async function resumeWhich(
  context: CliContext,
  options: ResumeOptions,
  commands: readonly string[],
): Promise<number> {
  const place = await setUp(context, options, false)
  const opened = await place.choices[0].open()
  const keyboard = keyboardFor(context, options)
  let answer: Answer
  try {
    answer = keyboard
      ? await letPick(context, options, keyboard, opened, place)
      : await listWhich(context, options, opened, place)
  } finally {
    await opened.close()
  }
  if ('exitCode' in answer) return answer.exitCode
  const { sessionId, message } = answer
  return resume(context, sessionId, message === undefined ? [] : [message], { ...options, preview: true }, commands)
}

/** Undefined where nobody can pick, or nobody may be asked. */
function keyboardFor(
  { keyboard, env, stderr }: CliContext,
  { json, jsonl, input, color }: ResumeOptions,
): Keyboard | undefined {
  const isAutomatic = !['', '0', 'false'].includes(env['CI'] ?? '')
  if (json || jsonl || input === false || isAutomatic || !terminalOf(stderr, env, color).isLive) return undefined
  return keyboard
}

async function letPick(
  context: CliContext,
  { color }: ResumeOptions,
  keyboard: Keyboard,
  { store }: OpenStore,
  place: SetUp,
): Promise<Answer> {
  const { flags } = place
  const { stderr, env, clock, cwd, home } = context
  const { rows: all, failure } = await sessionRows(store, clock.now())
  const rows = all.filter(({ head }) => helpedBy(head) === undefined)
  if (failure !== undefined) {
    const doctor = commandLine('lastgood doctor', ...flags)
    stderr.write(`note: ${safeLine((failure as Error).message)}; see ${doctor}\n`)
  }
  if (rows.length === 0) throw noneYet(store.location, await elsewhere(place, store.location))
  const [sessions, { pick }] = await Promise.all([withWords(store, rows, cwd), import('./picker.ts')])
  const { palette, columns } = terminalOf(stderr, env, color)
  const style = { now: clock.now(), cwd, home, columns: columns() - roomForMarks }
  const leave = new AbortController()
  let signal: StopSignal = 'SIGINT'
  const dispose = context.onStop((asked) => {
    signal = asked
    leave.abort()
  })
  try {
    const picked = await pick(sessions, { keyboard, palette, style, signal: leave.signal, needsMessage })
    if (picked.kind === 'picked') return { sessionId: picked.choice.row.head.sessionId, message: picked.message }
    const next = picked.at
      ? goOnLines(picked.at.row.head, flags)
      : `continue with\n${commandLine('lastgood resume', ...flags)}\n`
    stderr.write(`nothing was changed; ${next}`)
    return { exitCode: signalCodes[signal] }
  } finally {
    dispose()
  }
}

/** Only an idle session: not a client's, which the client itself continues, nor one that a process holds. */
function needsMessage({ row: { head, holder } }: SessionChoice): boolean {
  return head.status === 'idle' && holder === null && clientCommand(head, []) === undefined
}

/** The sessions of this folder are read first, because they are shown first. */
async function withWords(store: Store, rows: readonly SessionRow[], cwd: string): Promise<SessionChoice[]> {
  const isHere = ({ head }: SessionRow) => head.cwd === cwd
  const read = [...rows.filter(isHere), ...rows.filter((row) => !isHere(row))].slice(0, mostRead)
  const words = new Map<string, string | undefined>()
  for (const { head } of read) words.set(head.sessionId, await firstWordsOf(store, head))
  return rows.map((row) => ({ kind: 'session', row, words: words.get(row.head.sessionId) }))
}

/** Nobody can pick: lists what can be resumed, and how. */
async function listWhich(
  context: CliContext,
  options: ResumeOptions,
  { store, source }: OpenStore,
  place: SetUp,
): Promise<Answer> {
  const { flags } = place
  const { stderr, stdout, clock } = context
  const { rows, failure } = await sessionRows(store, clock.now())
  const broken = failure === undefined ? undefined : failureOf(failure, context.argv)
  const recoverable = rows.filter(({ isRecoverable }) => isRecoverable)
  const other = rows.length === 0 ? await elsewhere(place, store.location) : undefined
  const all = commandLine('lastgood list --all', ...(other?.flags ?? flags))
  const where = placeText(store.location, source)
  if (recoverable.length > 0) {
    stderr.write(`error: name a session; these can be resumed in ${where}\n`)
    for (const { head, status } of recoverable) {
      const what = joined([head.agent, `turn ${head.turn}`, head.reason])
      stderr.write(
        `  ${status.padEnd(11)} ${safeLine(what)}\n    ${typedCommandOf(head, flags) ?? ownWayOn(head.sessionId)}\n`,
      )
    }
  } else if (!broken) {
    const others = other ? `; there are some in ${other.place}` : ''
    stderr.write(`error: name a session; there is none to resume in ${where}${others}\n  next: ${all}\n`)
  }
  if (options.json || options.jsonl) {
    const error = { code: 'needs-input', message: 'name a session', causes: [], hint: all, details: {} }
    const why = broken ? failureJson(broken) : { error, exitCode: exitCodes.usage }
    const sessions = recoverable.map((row) => sessionJson(row, clock.now(), flags))
    stdout.write(jsonLine({ schema: 'lastgood.error/v1', ...why, sessions }))
  }
  if (broken) writeFailure(context, broken)
  return { exitCode: broken?.exitCode ?? exitCodes.usage }
}
