import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSession } from '@lastgood/core'
import { reply, startLab, text } from '@lastgood/outage-lab'
import { describe, expect, it, onTestFinished } from 'vitest'
import { project, run } from '../../test/context.ts'
import { agentNamed, loadConfig } from '../config.ts'

const href = (name: string) => JSON.stringify(import.meta.resolve(name))

async function place() {
  const lab = await startLab({ model: ({ messages }) => reply(text(`Answer ${messages.length}.`)) })
  onTestFinished(() => lab.close())
  const { cwd, store } = project()
  let written = 0
  /** Today's code: another file each time, because a module is imported once. */
  const deploy = (changes: string): string[] => {
    const name = `lastgood.config.${(written += 1)}.mjs`
    writeFileSync(
      join(cwd, name),
      `import Anthropic from ${href('@anthropic-ai/sdk')}
       import { defineAgent } from ${href('@lastgood/anthropic')}
       const client = new Anthropic({ baseURL: ${JSON.stringify(lab.url)}, apiKey: 'test', logLevel: 'off' })
       const options = { name: 'coder', client, model: 'claude-opus-5-5', system: 'You code.' }
       export default { store: './state', agents: { coder: () => defineAgent({ ...options, ${changes} }) } }`,
    )
    return ['--config', name]
  }
  const resumed = (flags: string[], ...words: string[]) => run(['resume', 's', ...words, ...flags], { cwd })
  const sent = () => lab.requests.map(({ body }) => body?.system)
  /** One turn under yesterday's code. */
  const session = await openSession('s', { store, cwd })
  const loaded = await loadConfig({ cwd, node: { version: '' } } as never, deploy('')[1])
  if (!loaded) throw new Error('no configuration')
  await session.run(await agentNamed('coder', loaded), 'Hello.')
  await session.close()
  return { deploy, resumed, sent }
}

describe('an agent that has changed since the session pinned its envelope', () => {
  it('is told by names and sizes, and what is pinned is sent (P4); --adopt sends the new one from then on', async () => {
    const { deploy, resumed, sent } = await place()
    const today = deploy("system: 'You code with great care.', maxTokens: 64_000, betas: ['a-beta']")
    const first = await resumed(today, 'More.')
    expect(first.code).toBe(0)
    expect(first.stderr).toContain(
      'drift    coder has changed since; its new version is not sent: the pinned version keeps prompt cache and thinking; --adopt sends it\n' +
        '         parameter max_tokens changed 32000 → 64000\n' +
        '         system changed 9 characters → 25 characters\n' +
        '         beta a-beta added\n',
    )
    expect(first.stderr).not.toContain('great care')
    const second = await resumed([...today, '--adopt'], 'And more.')
    expect(second.stderr).toContain('its new version is sent from now on, with a cold cache (--adopt)\n')
    const third = await resumed(today, 'Still more.')
    expect(third.stderr).not.toContain('drift')
    expect(sent()).toEqual(['You code.', 'You code.', 'You code with great care.', 'You code with great care.'])
  })

  it('--json has it in the document at the end', async () => {
    const { deploy, resumed } = await place()
    const { stdout } = await resumed([...deploy("system: 'Otherwise.'"), '--json'], 'More.')
    const change = { part: 'system', change: 'changed', pinned: '9 characters', current: '10 characters' }
    expect(JSON.parse(stdout)).toMatchObject({ state: 'done', drift: { adopted: false, changes: [change] } })
  })

  it('that has not changed has no drift', async () => {
    const { deploy, resumed } = await place()
    const { stdout, stderr } = await resumed([...deploy(''), '--json'], 'More.')
    expect(stderr).not.toContain('drift')
    expect(JSON.parse(stdout)).not.toHaveProperty('drift')
  })
})
