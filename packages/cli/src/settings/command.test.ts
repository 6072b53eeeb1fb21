import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Collector, newFolder, obliging, project, run } from '../../test/context.ts'
import type { Setting } from './settings.ts'

async function settings(argv: readonly string[] = [], changes: Parameters<typeof run>[1] = {}) {
  const ran = await run(['config', '--json', ...argv], { cwd: newFolder(), ...changes })
  const document = JSON.parse(ran.stdout) as { schema: string; settings: Setting[] }
  expect(document.schema).toBe('lastgood.config/v1')
  return { ran, of: (name: string) => document.settings.find((one) => one.name === name) }
}

describe('config says of each setting what it is and where it came from', () => {
  it('a flag comes before the environment, and that before the file', async () => {
    const { cwd } = project(obliging)
    const env = { REDIS_URL: 'redis://ann:secret@127.0.0.1:1/2' }
    const flag = await settings(['--store', 'other', '--color', 'always'], { cwd, env })
    expect(flag.of('store')).toEqual({ name: 'store', value: `file:${cwd}/other`, from: 'flag', by: '--store' })
    expect(flag.of('colours')).toEqual({ name: 'colours', value: 'yes', from: 'flag', by: '--color' })
    const variable = await settings([], { cwd, env })
    expect(variable.of('store')).toMatchObject({ value: 'redis://127.0.0.1:1/2', from: 'environment', by: 'REDIS_URL' })
    const file = await settings([], { cwd })
    const path = join(cwd, 'lastgood.config.mjs')
    expect(file.of('store')).toMatchObject({ value: `file:${cwd}/state`, from: 'file', by: path })
    expect(file.of('agents')).toMatchObject({ value: 'coder', from: 'file', by: path })
    expect(file.of('configuration')).toMatchObject({ value: path, from: 'default' })
  })

  it('without anything all is by default, and nothing is opened', async () => {
    const { of, ran } = await settings([], { env: { LASTGOOD_STATUS_URL: '' }, home: '/home/ann' })
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(of('store')).toMatchObject({ value: 'file:/home/ann/.local/state/lastgood', from: 'default', by: null })
    expect(of('status page')).toMatchObject({ value: expect.stringContaining('status.claude.com'), from: 'default' })
    expect(of('gateway token')).toMatchObject({ value: false, from: 'default' })
    expect(of('wait out an outage')).toMatchObject({ value: '1d00h', from: 'default' })
  })

  it('what the file says of the policy and the status page', async () => {
    const cwd = newFolder()
    const path = join(cwd, 'lastgood.config.mjs')
    writeFileSync(
      path,
      "export default { agents: {}, policy: { horizonMs: 60_000 }, statusPage: false, machineVersion: 'v9' }",
    )
    const { of } = await settings([], { cwd, env: { LASTGOOD_STATUS_URL: '' } })
    expect(of('wait out an outage')).toMatchObject({ value: '1m00s', from: 'file', by: path })
    expect(of('status page')).toMatchObject({ value: 'off', from: 'file' })
    expect(of('machine version')).toMatchObject({ value: 'v9', from: 'file' })
  })

  it('variables by name; of secrets only whether they are set, and no password', async () => {
    const env = {
      LASTGOOD_GATEWAY_TOKEN: 'very-secret-token',
      ANTHROPIC_AUTH_TOKEN: 'very-secret-key',
      HTTPS_PROXY: 'http://ann:very-secret@proxy:1',
      LASTGOOD_STORE: 'redis://:very-secret@host:1',
      XDG_STATE_HOME: '/state',
      NO_COLOR: '1',
    }
    const { of, ran } = await settings([], { env })
    expect(of('gateway token')).toMatchObject({ value: true, from: 'environment', by: 'LASTGOOD_GATEWAY_TOKEN' })
    expect(of('API key')).toMatchObject({ value: true, by: 'ANTHROPIC_AUTH_TOKEN' })
    expect(of('gateway proxy')).toMatchObject({ value: 'http://proxy:1', by: 'HTTPS_PROXY' })
    expect(of('state folder')).toMatchObject({ value: '/state/lastgood', by: 'XDG_STATE_HOME' })
    expect(of('status page')).toMatchObject({ value: 'off', by: 'LASTGOOD_STATUS_URL' })
    expect(of('colours')).toMatchObject({ value: 'no', by: 'NO_COLOR' })
    const shown = await run(['config'], { cwd: newFolder(), env })
    for (const { stdout, stderr } of [ran, shown]) expect(stdout + stderr).not.toContain('very-secret')
  })

  it('as a table for people, whose values are not cut', async () => {
    const stdout = new Collector()
    stdout.columns = 40
    const cwd = newFolder()
    const store = `a-folder-${'x'.repeat(100)}`
    expect(await run(['config', '--store', store], { cwd, stdout })).toMatchObject({ code: 0 })
    expect(stdout.text).toMatch(/^SETTING +FROM +VALUE\nstore +--store +/)
    expect(stdout.text).toContain(`file:${join(cwd, store)}\n`)
    expect(stdout.text).toMatch(/gateway token +default +not set/)
  })

  it('a file that cannot be loaded is exit code 4, and does not hide the rest', async () => {
    const cwd = newFolder()
    writeFileSync(join(cwd, 'lastgood.config.mjs'), 'export default {')
    const { code, stdout, stderr } = await run(['config'], { cwd })
    expect(code).toBe(4)
    expect(stdout).toMatch(/store +default +unknown: the configuration cannot be loaded/)
    expect(stdout).toContain('gateway token')
    expect(stderr).toContain('could not be loaded')
    expect((await run(['config', '--store', 'x'], { cwd })).stdout).toContain(join(cwd, 'x'))
  })
})

it('a policy that is none is told with its file, beside the settings that stand', async () => {
  const { cwd } = project(obliging)
  const path = join(cwd, 'lastgood.config.mjs')
  writeFileSync(path, `export default { agents: {}, policy: { horizonMs: '2h' } }`)
  const { code, stdout, stderr } = await run(['config'], { cwd, env: { LASTGOOD_STORE: 'file:/srv/state' } })
  expect(code).toBe(4)
  expect(stdout).toMatch(/^store +LASTGOOD_STORE +file:\/srv\/state$/m)
  expect(stderr).toContain(`error: ${path}: policy: `)
  expect(stderr).toContain('horizonMs')
})
