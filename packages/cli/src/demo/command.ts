/** `lastgood demo`: its options. */
import { Command, Option } from 'commander'
import type { CliContext } from '../context.ts'
import { exampleOf } from '../help-example.ts'
import { stopSwitch } from '../stop.ts'
import { colorModes } from '../terminal.ts'
import type { DemoOptions } from './demo.ts'

export function demoCommand(context: CliContext): Command {
  return new Command('demo')
    .summary('play outages, a kill and a resume on this machine; needs no key')
    .description(
      'play a coding agent, outages, a poisoned history, a kill and a resume, on this machine and without a key',
    )
    .option(
      '--store <url>',
      'where the session is kept: redis://host:6379, file:<folder> or a path (default: in the folder)',
    )
    .option('--folder <path>', 'an empty folder for everything the demo makes (default: a new one); it is kept')
    .option(
      '--live',
      'use the real API and ANTHROPIC_API_KEY: no outages, only the kill and the resume; costs a few cents',
    )
    .option('--fast', 'without the pauses that make it readable')
    .addOption(new Option('--color <when>', 'colours').choices(colorModes).default('auto'))
    .option('--json', 'the verdict as one JSON document on stdout')
    .addHelpText('after', exampleOf('lastgood demo', 'lastgood demo --fast --store redis://127.0.0.1:6379'))
    .action(async (options: DemoOptions) => {
      const stop = stopSwitch(context)
      try {
        // Loaded only here: no other command needs the SDK, the lab and the tools.
        const { runDemo } = await import('./demo.ts')
        context.setExitCode(await runDemo(context, options, stop))
      } finally {
        stop.dispose()
      }
    })
}
