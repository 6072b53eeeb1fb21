/** `lastgood fleet`: what is queued, waiting and running, and whether workers take more. */
import { Argument, Command } from 'commander'
import type { FleetClient, FleetStatus } from '@lastgood/fleet'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../exit-codes.ts'
import { exampleOf } from '../help-example.ts'
import { jsonLine, safeLine } from '../text.ts'
import { withFleetClient, withFleetOptions, type FleetPlaceOptions } from './place.ts'

interface FleetCommandOptions extends FleetPlaceOptions {
  agent?: string
  json?: boolean
}

const actions = ['status', 'pause', 'resume', 'drain'] as const
type Action = (typeof actions)[number]

export function fleetCommand(context: CliContext): Command {
  return withFleetOptions(new Command('fleet'))
    .summary('show what a fleet is doing; pause or resume it')
    .description(
      'show what a fleet is doing. pause: no worker takes another session; drain: pause, and wait for those under way',
    )
    .addArgument(new Argument('[action]', 'what to do').choices(actions).default('status'))
    .option('--agent <name>', 'with pause, resume or drain: only this agent')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', exampleOf('lastgood fleet', 'lastgood fleet pause --agent coder'))
    .action((action: Action, options: FleetCommandOptions) => run(context, action, options))
}

async function run(context: CliContext, action: Action, options: FleetCommandOptions): Promise<void> {
  const status = await withFleetClient(context, options, async (client) => {
    if (action === 'resume') await client.resume(options.agent)
    if (action === 'pause' || action === 'drain') await client.pause(options.agent)
    return action === 'drain' ? drained(context, client, options.agent) : client.status()
  })
  tell(context, status, options.json === true)
}

const lookEveryMs = 500

async function drained(context: CliContext, client: FleetClient, agent?: string): Promise<FleetStatus> {
  let takenBefore: string[] = []
  for (;;) {
    const status = await client.status()
    const asked = Object.entries(status.agents).filter(([name]) => (agent ?? name) === name)
    const taken = asked.flatMap(([name, { paused }]) => (paused ? [] : [name]))
    // Twice: an agent that comes meanwhile is paused a moment after it is known.
    const resumed = taken.filter((name) => takenBefore.includes(name))
    if (resumed.length > 0) {
      context.stderr.write(`not drained: somebody resumed ${safeLine(resumed.join(', '))}\n`)
      context.setExitCode(exitCodes.failed)
      return status
    }
    if (asked.every(([, { active }]) => active === 0)) return status
    takenBefore = taken
    await context.clock.sleepUntil(context.clock.now() + lookEveryMs)
  }
}

function tell({ stdout }: CliContext, status: FleetStatus, isJson: boolean): void {
  if (isJson) return void stdout.write(jsonLine({ schema: 'lastgood.fleet/v1', ...status }))
  const names = Object.entries(status.agents)
  for (const [name, { waiting, active, paused }] of names) {
    stdout.write(`${safeLine(name)}  ${active} under way, ${waiting} queued${paused ? ', paused' : ''}\n`)
  }
  if (names.length === 0) stdout.write('no agent has had a session yet\n')
  if (status.paused) stdout.write('agents that come later are paused, too\n')
  stdout.write(`${status.due} due, ${status.later} due later\n`)
}
