/** claude-code-router, as its users install and start it, with one provider, the lab, passed through unchanged. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../../support/free-port.ts'
import { startNode, type Child } from './child.ts'

const name = '@musistudio/claude-code-router'
const version = '1.0.73'
const folder = join('node_modules/.cache/lastgood-bench', `claude-code-router-${version}`)

/** Once for each version, beside the project's own cache. */
export async function installRouter(root: string): Promise<{ readonly program: string; readonly version: string }> {
  const at = join(root, folder)
  const done = join(at, 'installed')
  if (!existsSync(done)) {
    mkdirSync(at, { recursive: true })
    writeFileSync(join(at, 'package.json'), '{ "private": true }\n')
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
    await promisify(execFile)('npm', ['install', ...options, `${name}@${version}`], { cwd: at, timeout: 180_000 })
    writeFileSync(done, '')
  }
  const { version: llms } = JSON.parse(
    readFileSync(join(at, 'node_modules/@musistudio/llms/package.json'), 'utf8'),
  ) as { version: string }
  return { program: join(at, 'node_modules', name, 'dist/cli.js'), version: `${version} (llms ${llms})` }
}

/** `home`: an empty folder of its own. */
export async function startRouter(program: string, lab: string, home: string): Promise<{ url: string; child: Child }> {
  const port = await freePort()
  const config = {
    LOG: false,
    NON_INTERACTIVE_MODE: true,
    HOST: '127.0.0.1',
    PORT: port,
    Providers: [
      {
        name: 'lab',
        api_base_url: `${lab}/v1/messages`,
        api_key: 'sk-ant-test-000',
        models: ['claude-opus-5-5'],
        // The one that passes requests and answers on unchanged.
        transformer: { use: ['Anthropic'] },
      },
    ],
    Router: { default: 'lab,claude-opus-5-5' },
  }
  mkdirSync(join(home, '.claude-code-router'), { recursive: true })
  writeFileSync(join(home, '.claude-code-router/config.json'), JSON.stringify(config))
  const child = startNode({ args: [program, 'start'], cwd: home, env: { HOME: home, CI: 'true' } })
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.process.exitCode !== null) break
    const isThere = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isThere) return { url, child }
    await sleep(100)
  }
  await child.stop()
  throw new Error(`it did not start: ${child.said()}`)
}
