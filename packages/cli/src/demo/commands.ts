/** The commands that the demo prints: complete, as the user has to type them here. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { shellWord } from '@lastgood/core'
import { builtFile } from '../built.ts'
import type { Env } from '../context.ts'
import { shownAddress } from '../shown-address.ts'
import type { DemoFolder } from './folder.ts'

/** How `lastgood` is started where the demo was started: by pnpm in a clone, from the path, or by node. */
function programOf(env: Env): string {
  const [, pnpm] = /^pnpm\/(\d+\.\d+\.\d+)/.exec(env['npm_config_user_agent'] ?? '') ?? []
  if (pnpm !== undefined && env['npm_lifecycle_event'] === 'demo') return `npx -y pnpm@${pnpm} lastgood`
  const folders = (env['PATH'] ?? '').split(delimiter)
  if (folders.some((folder) => folder !== '' && existsSync(join(folder, 'lastgood')))) return 'lastgood'
  return `node ${shellWord(builtFile('bin/lastgood.js'))}`
}

export function showCommand(env: Env, sessionId: string, store: string): string {
  return `${programOf(env)} show ${sessionId} --store ${shellWord(shownAddress(store))}`
}

/** `message` begins a new turn. */
export function resumeCommand(
  env: Env,
  sessionId: string,
  folder: DemoFolder,
  store: string,
  message?: string,
): string {
  const flags = `--config ${shellWord(folder.config)} --store ${shellWord(shownAddress(store))}`
  return `${programOf(env)} resume ${sessionId} ${flags}${message === undefined ? '' : ` ${shellWord(message)}`}`
}
