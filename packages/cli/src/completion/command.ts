/**
 * `lastgood completion <shell>`: the script that a shell reads once; and `lastgood complete`, which that script calls
 * at each Tab.
 *
 * 1. `lastgood complete` is fast and silent: it writes candidates and nothing else, whatever goes wrong, and waits for
 *    a store only for `patienceMs`.
 */
import { Argument, Command } from 'commander'
import { setUp, type StoreOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { exampleOf } from '../help-example.ts'
import { orLate } from '../or-late.ts'
import { sessionRows } from '../sessions/session-row.ts'
import { safeLine } from '../text.ts'
import { candidatesFor, type Candidate, type Ids } from './candidates.ts'
import { isShell, scriptFor, shells } from './scripts.ts'

/** A person waits for it. */
const patienceMs = 1000
const mostIds = 200

export function completionCommand(context: CliContext): Command {
  return new Command('completion')
    .summary('complete commands, options and session ids in your shell')
    .description('complete commands, options and session ids in your shell: prints its script')
    .addArgument(new Argument('<shell>', 'your shell').choices(shells))
    .addHelpText(
      'after',
      exampleOf(
        `bash        eval "$(lastgood completion bash)"     in ~/.bashrc`,
        `zsh         source <(lastgood completion zsh)      in ~/.zshrc, after compinit`,
        `fish        lastgood completion fish | source      in ~/.config/fish`,
        `powershell  lastgood completion powershell | Out-String | iex   in $PROFILE`,
      ),
    )
    .action((shell: string) => {
      if (isShell(shell)) context.stdout.write(scriptFor(shell))
    })
}

/** Hidden: scripts call it. `program` is the tree that it belongs to. */
export function completeCommand(context: CliContext, program: () => Command): Command {
  return new Command('complete')
    .argument('[words...]')
    .option('--new-word', 'the cursor stands behind the words, where a shell cannot hand over an empty one')
    .allowUnknownOption()
    .action(async (words: string[], { newWord }: { newWord?: boolean }) => {
      const quiet: CliContext = { ...context, stderr: { write: () => true } }
      const typed = newWord ? [...words, ''] : words
      const found = await candidatesFor(program(), typed, idsOf(quiet)).catch((): Candidate[] => [])
      for (const { value, about } of found) context.stdout.write(`${value}\t${safeLine(about)}\n`)
    })
}

function idsOf(context: CliContext): Ids {
  return (place, prefix) => {
    const found = read(context, place, prefix).catch(() => [])
    return orLate(context.clock, patienceMs, found, () => [])
  }
}

async function read(context: CliContext, place: StoreOptions, prefix: string): Promise<Candidate[]> {
  const { choices } = await setUp(context, place, false)
  const { store, close } = await choices[0].open()
  try {
    const { rows } = await sessionRows(store, context.clock.now())
    return rows
      .filter(({ head }) => head.sessionId.startsWith(prefix))
      .slice(0, mostIds)
      .map(({ head, status }) => ({ value: head.sessionId, about: `${status}, turn ${head.turn}` }))
  } finally {
    await close()
  }
}
