/** `lastgood worker`: runs the sessions of a fleet until it is asked to stop. */
import { Command, InvalidArgumentError, Option } from 'commander'
import type { FleetAgent, FleetEvent } from '@lastgood/fleet'
import { agentNamed, missingConfig, type LoadedConfig } from '../config.ts'
import type { CliContext } from '../context.ts'
import { openFleetPlace, withFleetOptions, type FleetPlaceOptions } from '../fleet/place.ts'
import { logFormatOf, logFormats, talkOf, type LogFormat } from '../server/talk.ts'
import { exampleOf } from '../help-example.ts'
import { atSamePlace } from '../same-place.ts'
import { untilStopped } from '../stop.ts'
import { storeLine } from '../stores.ts'
import { safeLine } from '../text.ts'
import { lineOf } from './lines.ts'

interface WorkerOptions extends FleetPlaceOptions {
  agent?: string[]
  concurrency: number
  log?: LogFormat
}

export function workerCommand(context: CliContext): Command {
  return withFleetOptions(new Command('worker'))
    .summary("run a worker that continues a fleet's sessions")
    .description(
      "run a worker that continues a fleet's sessions: those that were submitted, whose wait is over, or whose process died",
    )
    .option('--agent <names...>', 'agents of the configuration (default: all of them)')
    .option('--concurrency <number>', 'sessions of one agent at a time', count, 10)
    .addOption(new Option('--log <format>', 'format of its messages on stderr (LASTGOOD_LOG)').choices(logFormats))
    .addHelpText(
      'after',
      exampleOf('lastgood worker --store redis://127.0.0.1:6379', 'lastgood worker --agent coder --concurrency 20'),
    )
    .action((options: WorkerOptions) => work(context, options))
}

function work(context: CliContext, options: WorkerOptions): Promise<void> {
  return untilStopped(context, async (stop) => {
    const talk = await talkOf(logFormatOf(options.log, context.env), context)
    const at = await stop.orStopped(openFleetPlace(context, options))
    try {
      const loaded = at.place.config()
      if (!loaded) throw missingConfig(context, options.agent?.[0] ?? 'coder')
      const agents = await agentsOf(loaded, options.agent)
      const { policy, machineVersion, perMinute } = loaded.config
      const { runFleet } = await import('@lastgood/fleet')
      const tell = (event: FleetEvent) => {
        const { kind, ...fields } = event
        talk.tell(kind, { event: kind, ...fields }, [atSamePlace(lineOf(event, context.clock.now()), context.argv)])
      }
      const fleet = runFleet({
        store: at.opened.store,
        connection: at.connection,
        prefix: options.prefix,
        clock: context.clock,
        agents,
        concurrency: options.concurrency,
        onEvent: tell,
        ...(policy && { policy }),
        ...(perMinute && { perMinute }),
        ...(machineVersion !== undefined && { machineVersion }),
        ...(talk.heard.logger && { logger: talk.heard.logger }),
      })
      const names = Object.keys(agents)
      const { location } = at.opened.store
      talk.tell('ready', { event: 'ready', store: location, queue: at.queue, agents: names }, [
        storeLine(location, at.opened.source),
        `queue    ${safeLine(at.queue)}`,
        `agents   ${safeLine(names.join(', '))}`,
      ])
      try {
        await stop.asked
      } finally {
        await fleet.close()
        talk.tell('stopped', { event: 'stopped' }, ['stopped'])
      }
    } finally {
      await at.close()
    }
  })
}

async function agentsOf(
  loaded: LoadedConfig,
  wanted: readonly string[] | undefined,
): Promise<Record<string, FleetAgent>> {
  const names = wanted ?? Object.keys(loaded.config.agents ?? {})
  const agents: Record<string, FleetAgent> = {}
  for (const name of names) agents[name] = await agentNamed(name, loaded)
  return agents
}

function count(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('write a whole number above 0.')
}
