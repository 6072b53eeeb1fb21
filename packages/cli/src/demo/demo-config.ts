/**
 * The demo's configuration: what `lastgood.config.mjs` in the demo folder exports, and how that file is written.
 *
 * The file is written twice; the second time is the redeploy: the agent's `run` tool has another description and one
 * more field, and the machine another version.
 */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { builtFile } from '../built.ts'
import { defineConfig, type LastgoodConfig } from '../config.ts'
import type { Env } from '../context.ts'
import { demoAgent, demoAgentName } from './agent.ts'
import { demoFolderAt, type DemoFolder } from './folder.ts'
import { demoPolicy, type Pace } from './outages.ts'

export interface DemoConfigOptions {
  /** The demo folder. */
  folder: string
  env: Env
  live: boolean
  pace: Pace
  machineVersion: string
  runTool: { description: string; hasTimeLimit: boolean }
}

/** @public The written file imports it. */
export function demoConfig({ folder, env, live, pace, machineVersion, runTool }: DemoConfigOptions): LastgoodConfig {
  return defineConfig({
    agents: { [demoAgentName]: () => demoAgent({ folder: demoFolderAt(folder), env, live, pace, runTool }) },
    machineVersion,
    // The scripted API has its own status page, which the demo asks.
    ...(!live && { policy: demoPolicy(pace), statusPage: false as const }),
  })
}

export interface Release {
  readonly machineVersion: string
  readonly runTool: DemoConfigOptions['runTool']
}

export const releases: Readonly<Record<'before' | 'after', Release>> = {
  before: {
    machineVersion: 'release-1',
    runTool: { description: 'Run a shell command in the repository.', hasTimeLimit: false },
  },
  after: {
    machineVersion: 'release-2',
    runTool: { description: 'Run a shell command in the repository, for as long as you allow it.', hasTimeLimit: true },
  },
}

export function deploy(
  folder: DemoFolder,
  { machineVersion, runTool }: Release,
  { live, pace }: { live: boolean; pace: Pace },
): void {
  const text = `// Written by \`lastgood demo\`: how \`resume\` finds this session's agent.
import { demoConfig } from ${JSON.stringify(pathToFileURL(builtFile('demo/demo-config.js')).href)}

export default demoConfig({
  folder: ${JSON.stringify(folder.path)},
  env: process.env,
  live: ${live},
  pace: ${JSON.stringify(pace)},
  // A redeploy changes these two:
  machineVersion: ${JSON.stringify(machineVersion)},
  runTool: ${JSON.stringify(runTool)},
})
`
  writeFileSync(folder.config, text)
}
