/**
 * The agent's own program, in a process of its own so that it can be killed. Started by the demo, with node.
 *
 *     node agent-process.js --session <id> --config <file> --store <address> --cwd <repository>
 *
 * 1. It is what a user would write: open the session, run the turns. Its events go to stdout as JSON lines.
 * 2. It does not outlive the demo: its stdin is a pipe that is never written to and ends with the demo.
 */
import { parseArgs } from 'node:util'
import { isLastgoodError, openSession } from '@lastgood/core'
import { agentNamed, loadConfig } from '../config.ts'
import { writeFailure, failureOf } from '../failure.ts'
import { nodeContext } from '../node-context.ts'
import { storeChoices } from '../stores.ts'
import { demoAgentName } from './agent.ts'
import { prompts } from './project.ts'

const context = nodeContext()
const text = { type: 'string', default: '' } as const
const { values } = parseArgs({
  args: [...context.argv],
  options: { session: text, config: text, store: text, cwd: text },
})

process.stdin
  .resume()
  .on('end', () => process.kill(process.platform === 'win32' ? process.pid : -process.pid, 'SIGKILL'))

try {
  await run()
  process.exit(0)
} catch (error) {
  // Closed on purpose: whoever closed it ends the process.
  if (!isLastgoodError(error, 'session-closed')) {
    writeFailure(context, failureOf(error))
    process.exit(1)
  }
}

async function run(): Promise<void> {
  const loaded = await loadConfig(context, values.config)
  if (!loaded) throw new Error('no configuration')
  const agent = await agentNamed(demoAgentName, loaded)
  const { policy, machineVersion } = loaded.config
  const { store } = await storeChoices(context, values.store, loaded)[0].open()
  const session = await openSession(values.session, {
    store,
    cwd: values.cwd,
    ...(policy && { policy }),
    ...(machineVersion !== undefined && { machineVersion }),
  })
  session.subscribe((event) => context.stdout.write(`${JSON.stringify(event)}\n`))
  context.onStop(() => {
    const isOpen = session.turn > session.lastGoodTurn
    void (isOpen ? session.suspend('interrupted', 'the demo was interrupted') : session.close()).finally(() =>
      process.exit(130),
    )
  })
  for (const prompt of prompts) await session.run(agent, prompt)
  await session.close()
}
