/** `lastgood watch`: what happens in a session that another process runs, or in all sessions, as it happens. */
import { Command } from 'commander'
import {
  foldHistory,
  isJournalError,
  machineVersion,
  readHistory,
  type Head,
  type SessionEvent,
  type Store,
} from '@lastgood/core'
import { sessionWords, jsonlOption, setUp, withLiveOptions, type CommonOptions, type SetUp } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { Survived } from '../live/survived.ts'
import { exampleOf } from '../help-example.ts'
import { liveRenderer } from '../live/live-renderer.ts'
import { eventLines } from '../live/event-lines.ts'
import { locate } from '../sessions/locate.ts'
import { sessionRows } from '../sessions/session-row.ts'
import { atSamePlace } from '../same-place.ts'
import { untilStopped } from '../stop.ts'
import { storeLine } from '../stores.ts'
import { safeLine } from '../text.ts'
import { follow, type Known, type Seen } from './follow.ts'

interface WatchOptions extends Omit<CommonOptions, 'json'> {
  jsonl?: boolean
}

export function watchCommand(context: CliContext): Command {
  return withLiveOptions(new Command('watch'))
    .summary('follow a session, or all of them, live')
    .description('follow a session, or all of them, live; Ctrl+C ends it')
    .argument('[session]', `${sessionWords}; without it: all sessions, one line per change`)
    .addOption(jsonlOption('each entry as a JSON line, without content'))
    .addHelpText('after', exampleOf('lastgood watch last', 'lastgood watch --jsonl | jq .event'))
    .action((argument: string | undefined, options: WatchOptions) => watch(context, argument, options))
}

/** Where entries are shown. */
interface Viewer {
  take(sessionId: string, event: SessionEvent): void
  stop(): void
}

async function watch(context: CliContext, argument: string | undefined, options: WatchOptions): Promise<void> {
  const place = await setUp(context, options, false)
  const opened =
    argument === undefined
      ? { ...(await place.choices[0].open()), head: undefined }
      : await located(context, place, argument)
  const { store, close, source, head } = opened
  await untilStopped(context, async ({ orStopped }) => {
    const over = new AbortController()
    const seen = new Map<string, Known>()
    const viewer = await viewerOf(context, options, store, head, seen)
    context.stderr.write(`${storeLine(store.location, source)}\n`)
    const all = follow({ store, clock: context.clock, signal: over.signal, sessionId: head?.sessionId, seen })
    try {
      await orStopped(show(context, viewer, all))
    } finally {
      over.abort()
      viewer.stop()
      await close()
    }
  })
}

async function located(context: CliContext, place: SetUp, argument: string) {
  const { opened, row } = await locate(context, place, argument)
  return { ...opened, head: row.head }
}

async function show({ stderr, argv }: CliContext, viewer: Viewer, all: AsyncIterable<Seen>): Promise<void> {
  for await (const one of all) {
    if (one.kind === 'entry') viewer.take(one.sessionId, { type: 'entry', entry: one.entry })
    else if (one.kind === 'away')
      stderr.write(`the store does not answer: ${safeLine(one.error.message)}; asking again\n`)
    else if (one.kind === 'unreadable')
      stderr.write(`left out: ${safeLine(one.error.message)}; ${atSamePlace('lastgood doctor', argv)}\n`)
    else stderr.write('the store answers again\n')
  }
}

/** Knows what happened before, and does not show it again. */
async function viewerOf(
  context: CliContext,
  { jsonl, color }: WatchOptions,
  store: Store,
  head: Head | undefined,
  seen: Map<string, Known>,
): Promise<Viewer> {
  if (head === undefined) {
    const { rows, failure } = await sessionRows(store, context.clock.now())
    // A session that cannot be read is reported when `follow` meets it.
    if (failure !== undefined && !isJournalError(failure)) throw failure
    for (const row of rows) seen.set(row.head.sessionId, row.head)
    if (jsonl) return perSession((sessionId) => eventLines(context.stdout, sessionId))
    const survived = new Survived((line) => context.stdout.write(`${line}\n`), 'every turn')
    return { take: survived.take, stop: () => context.stderr.write(`${survived.sum}\n`) }
  }
  const { snapshot, transcript, seq } = await foldHistory(readHistory(store, head.sessionId), machineVersion)
  seen.set(head.sessionId, { seq, createdAt: head.createdAt })
  if (jsonl) return perSession((sessionId) => eventLines(context.stdout, sessionId))
  const { value: state, context: standing } = snapshot
  const from = { state, lastGoodTurn: standing.lastGoodTurn, context: standing, transcript }
  const { clock, env, stdout } = context
  const { onEvent, stop } = liveRenderer({ output: stdout, clock, env, color, from })
  return { take: (_id, event) => onEvent(event), stop }
}

function perSession(lines: (sessionId: string) => (event: SessionEvent) => void): Viewer {
  const all = new Map<string, (event: SessionEvent) => void>()
  return {
    take(sessionId, event) {
      const known = all.get(sessionId) ?? lines(sessionId)
      all.set(sessionId, known)
      known(event)
    },
    stop() {},
  }
}
