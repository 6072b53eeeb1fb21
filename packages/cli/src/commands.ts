/** The commands by name. Each is loaded on demand: loading all of them takes longer than most of them run. */
import type { Command } from 'commander'
import type { CliContext } from './context.ts'

/** In the order of the help. */
const loaders: Readonly<Record<string, (context: CliContext) => Promise<Command>>> = {
  resume: async (context) => (await import('./resume/command.ts')).resumeCommand(context, () => commandNames),
  list: async (context) => (await import('./list/command.ts')).listCommand(context),
  show: async (context) => (await import('./show/command.ts')).showCommand(context),
  watch: async (context) => (await import('./watch/command.ts')).watchCommand(context),
  status: async (context) => (await import('./status/command.ts')).statusCommand(context),
  rewind: async (context) => (await import('./rewind/command.ts')).rewindCommand(context),
  fork: async (context) => (await import('./fork/command.ts')).forkCommand(context),
  repair: async (context) => (await import('./repair/command.ts')).repairCommand(context),
  export: async (context) => (await import('./export/command.ts')).exportCommand(context),
  import: async (context) => (await import('./import/command.ts')).importCommand(context),
  pin: async (context) => (await import('./pin/command.ts')).pinCommand(context),
  unpin: async (context) => (await import('./pin/command.ts')).unpinCommand(context),
  prune: async (context) => (await import('./prune/command.ts')).pruneCommand(context),
  doctor: async (context) => (await import('./doctor/command.ts')).doctorCommand(context),
  config: async (context) => (await import('./settings/command.ts')).configCommand(context),
  gateway: async (context) => (await import('./gateway/command.ts')).gatewayCommand(context),
  dashboard: async (context) => (await import('./dashboard/command.ts')).dashboardCommand(context),
  worker: async (context) => (await import('./worker/command.ts')).workerCommand(context),
  submit: async (context) => (await import('./submit/command.ts')).submitCommand(context),
  fleet: async (context) => (await import('./fleet/command.ts')).fleetCommand(context),
  run: async (context) => (await import('./run/command.ts')).runCommand(context),
  demo: async (context) => (await import('./demo/command.ts')).demoCommand(context),
  completion: async (context) => (await import('./completion/command.ts')).completionCommand(context),
}

export const commandNames: readonly string[] = Object.keys(loaders)

/** Those that change nothing: they end when nobody reads their output any more. */
export const readers: ReadonlySet<string> = new Set(
  'list show watch status doctor config export completion help --help -h --version -V'.split(' '),
)

/** The command that the arguments begin with; without one, all commands, for help and for mistyped names. */
export function commandsFor(context: CliContext): Promise<Command[]> {
  const [first = ''] = context.argv
  const names = commandNames.includes(first) ? [first] : commandNames
  return Promise.all(names.flatMap((name) => loaders[name]?.(context) ?? []))
}
