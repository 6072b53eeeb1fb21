/** The acts of the demo, in order: work and outages, the kill, the redeploy, the resume, the evidence. */
import { LastgoodError, parseEntry, type Entry, type SessionEvent } from '@lastgood/core'
import type { Lab } from '@lastgood/outage-lab'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { builtFile } from '../built.ts'
import { liveRenderer } from '../live/live-renderer.ts'
import { demoTools } from './agent.ts'
import { showCommand } from './commands.ts'
import { deploy, releases, type Release } from './demo-config.ts'
import { labRequests, pageVisits, recorded, repositoryEvidence, type LabEvidence } from './evidence.ts'
import { isMigration } from './facts.ts'
import type { DemoFolder } from './folder.ts'
import { moments } from './moments.ts'
import { demoModels, scriptedFaults } from './outages.ts'
import { migrationLine, prompts } from './project.ts'
import type { Scene, SceneParts } from './scene.ts'
import { pageReader, type PageReader, type PageReading } from './status-page.ts'
import type { Incident } from './timeline.ts'
import { readEffects } from './tools/effects-log.ts'
import { judge, type Verdict } from './verdict.ts'

export interface Played {
  readonly verdict: Verdict
  readonly entries: readonly Entry[]
  readonly incidents: readonly Incident[]
  /** Readings of the status page. */
  readonly readings: readonly PageReading[]
}

/** More than the demo ever takes with the scripted model. */
const scriptedLimitMs = 120_000
const liveLimitMs = 900_000

export async function play(scene: Scene): Promise<Played> {
  const { context, store, sessionId, folder, palette, lab } = scene.parts
  const { clock } = context
  introduce(scene)
  const incidents: Incident[] = []
  const page = lab && pageReader(lab, clock)

  const { pid, killedAt } = await workUntilKilled(scene, page)
  incidents.push({ at: killedAt, mark: 'K' })
  const atKill = await recorded(store, sessionId)
  scene.banner('✖ kill -9', palette.red, `Process group ${pid} is gone: the agent, and the migration it was running.`)
  await scene.pause(900)

  deploy(folder, releases.after, { live: !lab, pace: scene.parts.pace })
  incidents.push({ at: clock.now(), mark: 'D' })
  scene.banner(
    '↻ redeploy',
    palette.magenta,
    'New code: a new schema for the tool `run`, a new version of the state machine.',
  )
  await scene.pause(900)

  scene.banner('▶ resume', palette.green, `A new process that knows only the session id:  $ resume ${sessionId}`)
  incidents.push({ at: clock.now(), mark: 'R' })
  const resumeExitCode = await resume(scene)

  await page?.poll()
  const atEnd = await recorded(store, sessionId)
  const verdict = await judge({
    sessionId,
    prompts,
    atKill,
    atEnd,
    resumeExitCode,
    effects: readEffects(folder.effects),
    repository: repositoryEvidence(folder, context.env),
    ...(lab && page && { lab: labEvidence(scene.parts, lab, page) }),
  })
  return { verdict, entries: atEnd.entries, incidents, readings: page?.readings ?? [] }
}

function introduce(scene: Scene): void {
  const { folder, store, address, lab, palette, sessionId } = scene.parts
  const api = lab ? `a scripted Messages API at ${lab.url}: no key, no cost` : 'the real API, with your key'
  const own = address === `file:${folder.store}` ? ' (its own: your sessions are not touched)' : ''
  scene.say(
    palette.bold('A coding agent at work, and what can happen to it.'),
    `folder   ${folder.path}`,
    `store    ${store.location}${own}`,
    `session  ${sessionId}`,
    `API      ${api}`,
    '',
  )
}

/** Runs the agent in a process of its own, and kills it once its migration runs. */
async function workUntilKilled(scene: Scene, page: PageReader | undefined): Promise<{ pid: number; killedAt: number }> {
  const { context, color, folder, lab } = scene.parts
  const { stderr: output, clock, env } = context
  const renderer = liveRenderer({ output, clock, env, color, page })
  const tell = moments()
  let isPageRead = false
  const group = scene.start(agentArguments(scene.parts), (line) => {
    const event = eventOf(line)
    renderer.onEvent(event)
    if (event.type !== 'entry') return
    if (event.entry.type === 'turn-started') scene.say(`> ${prompts[event.entry.turn - 1] ?? ''}`)
    // The live view shows the rest.
    for (const { mark, words } of tell(event.entry)) if (mark === '↑') scene.say(`↑ ${words}`)
  })
  try {
    const deadline = clock.now() + (lab ? scriptedLimitMs : liveLimitMs)
    const found = await scene.until(() => {
      if (group.hasExited) return 'ended'
      if (clock.now() > deadline) return 'took too long'
      // At once, not only when the outage line asks: without pauses the outage is over before that.
      if (page && !isPageRead && isModelDown(lab)) {
        isPageRead = true
        void page.poll()
      }
      return isMigrating(folder) ? 'migrates' : undefined
    })
    if (found !== 'migrates') throw notMigrated(scene.parts, found)
    await scene.pause(1_500)
    const killedAt = clock.now()
    group.kill()
    await group.exited
    return { pid: group.pid, killedAt }
  } finally {
    renderer.stop()
  }
}

function notMigrated({ context, sessionId, address }: SceneParts, found: string): LastgoodError {
  return new LastgoodError('request-failed', `the agent ${found} before its migration ran, so nothing could be shown`, {
    hint: `see what it did: ${showCommand(context.env, sessionId, address)}`,
    details: { sessionId },
  })
}

function agentArguments({ sessionId, folder, address }: SceneParts): string[] {
  const program = builtFile('demo/agent-process.js')
  return [program, '--session', sessionId, '--config', folder.config, '--store', address, '--cwd', folder.path]
}

function isModelDown(lab: Lab | undefined): boolean {
  return lab?.requests.some(({ outcome }) => outcome.status === 529) === true
}

/** The migration's line is in the ledger, and the command that wrote it is still running. */
function isMigrating(folder: DemoFolder): true | undefined {
  if (!readFileSync(join(folder.repository, 'migrations.log'), 'utf8').includes(migrationLine)) return undefined
  const open = readEffects(folder.effects).filter(({ command }) => isMigration(command))
  return open.at(-1)?.phase === 'start' ? true : undefined
}

/** The real command, as a user would type it. Returns its exit code. */
async function resume(scene: Scene): Promise<number | null> {
  const { sessionId, folder, address, palette, context } = scene.parts
  const program = builtFile('bin/resume.js')
  const color = palette.isColorSupported ? 'always' : 'never'
  const args = [program, sessionId, '--config', folder.config, '--store', address, '--color', color]
  // The live view has shown its reply.
  const group = scene.start(args, () => {})
  const late = context.clock.now() + liveLimitMs
  await scene.until(() => (group.hasExited || context.clock.now() > late ? true : undefined))
  group.kill()
  return (await group.exited).code
}

function labEvidence({ folder, pace, context: { env } }: SceneParts, lab: Lab, { readings }: PageReader): LabEvidence {
  const toolsOf = ({ runTool }: Release) => {
    return JSON.stringify(demoTools({ folder, env, live: false, pace, runTool }).map(({ definition }) => definition))
  }
  return {
    requests: labRequests(lab),
    script: scriptedFaults(pace).map(({ name, kind, times }) => ({ name, kind, times })),
    models: demoModels,
    page: { readings, visits: pageVisits(lab) },
    deployed: { before: toolsOf(releases.before), after: toolsOf(releases.after) },
  }
}

const lineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('entry'), entry: z.unknown() }),
  z.object({ type: z.literal('delta'), kind: z.enum(['text', 'thinking']), text: z.string() }),
  z.object({ type: z.literal('dropped') }),
])

function eventOf(line: string): SessionEvent {
  const event = lineSchema.parse(JSON.parse(line))
  return event.type === 'entry' ? { type: 'entry', entry: parseEntry(event.entry, "the agent's output") } : event
}
