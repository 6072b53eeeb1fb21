/**
 * The demo: outages, a kill, a redeploy and a resume, with a real repository, real processes and the real SDK.
 *
 * 1. Whenever it is interrupted, it leaves no process behind, and always a session that can be resumed.
 * 2. It knows no more than its user: everything that it says at the end was counted, see `verdict.ts`.
 */
import { openSession, type Clock, type Store } from '@lastgood/core'
import { startLab, type Lab } from '@lastgood/outage-lab'
import type { CliContext } from '../context.ts'
import { exitCodes, signalCodes } from '../exit-codes.ts'
import { ConfigError } from '../failure.ts'
import { savedAt } from '../live/outage-line.ts'
import { Stopped, type StopSwitch } from '../stop.ts'
import { storeChoices, type OpenStore } from '../stores.ts'
import { terminalOf, type ColorMode } from '../terminal.ts'
import { jsonLine } from '../text.ts'
import { demoAgentName } from './agent.ts'
import { resumeCommand, showCommand } from './commands.ts'
import { deploy, releases } from './demo-config.ts'
import { createDemoFolder } from './folder.ts'
import { chunkDelayMs, scriptedFaults, type Pace } from './outages.ts'
import { play } from './play.ts'
import { prompts } from './project.ts'
import { verdictJson, verdictLines, type Whereabouts } from './report.ts'
import { Scene } from './scene.ts'
import { playDemo } from './script.ts'
import { laggingPage } from './status-page.ts'
import { timeline } from './timeline.ts'

export interface DemoOptions {
  store?: string
  folder?: string
  color: ColorMode
  json?: boolean
  live?: boolean
  fast?: boolean
}

/** Returns the exit code. */
export async function runDemo(context: CliContext, options: DemoOptions, stop: StopSwitch): Promise<number> {
  const { env } = context
  const live = options.live === true
  if (live && !env['ANTHROPIC_API_KEY']) {
    throw new ConfigError('--live needs the real API, and ANTHROPIC_API_KEY is not set', {
      hint: 'set ANTHROPIC_API_KEY, or leave out --live: the demo then brings its own API',
    })
  }
  const pace = options.fast ? 'fast' : 'readable'
  // A store that cannot be reached is reported before anything is created.
  const given = options.store === undefined ? undefined : await openStore(context, options.store)
  const folder = createDemoFolder(env, pace, options.folder)
  deploy(folder, releases.before, { live, pace })
  const opened = given ?? (await openStore(context, `file:${folder.store}`))
  // The children work in another folder, so a path has to be absolute.
  const isRedis = /^rediss?:/i.test(options.store ?? '')
  const address = isRedis && options.store !== undefined ? options.store : opened.store.location
  const lab = live ? undefined : await openLab(context.clock, pace)
  const sessionId = `demo-${context.clock.newId().slice(0, 8)}`
  const { color } = options
  const { palette } = terminalOf(context.stderr, env, color)
  const scene = new Scene({ context, color, folder, address, store: opened.store, sessionId, lab, pace, palette })
  try {
    return await stop.orStopped(finish(scene, options))
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    return await leaveResumable(scene, error.signal, options)
  } finally {
    scene.end()
    await lab?.close()
    await opened.close()
  }
}

function openStore(context: CliContext, address: string): Promise<OpenStore> {
  return storeChoices(context, address, undefined)[0].open()
}

async function openLab(clock: Clock, pace: Pace): Promise<Lab> {
  const open: { lab?: Lab } = {}
  open.lab = await startLab({
    model: playDemo,
    outages: scriptedFaults(pace).map(({ outage }) => outage),
    chunkDelayMs: chunkDelayMs(pace),
    statusPage: laggingPage(() => open.lab),
  })
  return open.lab
}

async function finish(scene: Scene, { json, color }: DemoOptions): Promise<number> {
  const { context, sessionId, store, folder, address } = scene.parts
  const { verdict, entries, incidents, readings } = await play(scene)
  const where: Whereabouts = {
    sessionId,
    store: store.location,
    journal: store.journalAt(sessionId),
    folder: folder.path,
    showCommand: showCommand(context.env, sessionId, address),
  }
  const output = json ? context.stderr : context.stdout
  const { palette, columns } = terminalOf(output, context.env, color)
  const lines = [
    '',
    ...timeline(entries, { incidents, readings, columns: Math.min(columns(), 80), palette }),
    '',
    ...verdictLines(verdict, where, palette),
  ]
  for (const line of lines) output.write(`${line}\n`)
  if (json) context.stdout.write(jsonLine(verdictJson(verdict, where)))
  return verdict.ok ? exitCodes.done : exitCodes.failed
}

async function leaveResumable(scene: Scene, signal: Stopped['signal'], { json }: DemoOptions): Promise<number> {
  const { context, store, sessionId, folder, address } = scene.parts
  await scene.interrupt()
  const { turn, lastGoodTurn } = await standing(store, sessionId)
  // Between turns, the command carries the next prompt, for the user to start the turn with.
  const message = turn > lastGoodTurn ? undefined : prompts[lastGoodTurn]
  const command = resumeCommand(context.env, sessionId, folder, address, message)
  context.stderr.write(`\ninterrupted: ${savedAt(lastGoodTurn)}; continue with\n${command}\n`)
  const exitCode = signalCodes[signal]
  if (json) {
    const facts = { ok: false, state: 'interrupted', sessionId, lastGoodTurn, folder: folder.path, command, exitCode }
    context.stdout.write(jsonLine({ schema: 'lastgood.demo/v1', ...facts }))
  }
  return exitCode
}

/** How far the session came. One that had not begun is begun here, so that there is something to resume. */
async function standing(store: Store, sessionId: string): Promise<{ turn: number; lastGoodTurn: number }> {
  const summary = await store.summary(sessionId)
  if (summary) return summary.head
  const session = await openSession(sessionId, { store, machineVersion: releases.before.machineVersion })
  await session.startTurn([{ role: 'user', content: prompts[0] }], demoAgentName)
  await session.close()
  return session
}
