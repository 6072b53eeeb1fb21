import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, describe, it } from 'vitest'
import type { SessionDocument } from '@lastgood/dashboard'
import { answered, ended, overloaded, project, run, seed, sent, started } from '../../test/context.ts'
import { pageOf } from './html-report.ts'

const hostile = '</script><script>owned()</script><!--\u001b[31m\u202e $& $1'
const secret = 'sk-ant-api03-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
const template = '<html><script type="application/json" id="session">null</script><script>code()</script></html>'

/** What the page's script reads. */
function dataIn(page: string): SessionDocument {
  const [, data = ''] = /<script type="application\/json" id="session">([^<]*)<\/script>/.exec(page) ?? []
  return JSON.parse(data) as SessionDocument
}

async function seeded() {
  const { cwd, store } = project()
  const call = { id: 't1', name: `run ${hostile}`, input: { cmd: `echo ${secret}` } }
  await seed(store, 'fix-auth', [
    started(1, hostile),
    sent(),
    overloaded(2_000, Date.now()),
    sent(2),
    answered(`It is ${hostile} ${secret}`, call),
    { type: 'tool-started', toolUseId: 't1', name: call.name, inDoubt: 'report' },
    {
      type: 'tool-finished',
      toolUseId: 't1',
      result: { type: 'tool_result', tool_use_id: 't1', content: hostile },
      outcome: 'ran',
    },
    sent(),
    answered('Done.'),
    ended(1),
  ])
  return { cwd, show: (...flags: string[]) => run(['show', 'fix-auth', '--store', 'state', ...flags], { cwd }) }
}

describe('show --html', () => {
  it('is one file that only its owner can read, with the facts and without content', async () => {
    const { cwd, show } = await seeded()
    const { code, stdout, stderr } = await show('--html')
    const file = join(cwd, 'fix-auth.html')
    expect([code, stdout]).toEqual([0, `${file}\n`])
    expect(stderr).toContain('without content')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const page = readFileSync(file, 'utf8')
    const { schema, hasContent, turns, card } = dataIn(page)
    expect({ schema, hasContent }).toEqual({ schema: 'lastgood.session-page/v1', hasContent: false })
    expect(turns).toMatchObject([{ turn: 1, state: 'ended', faults: 1, tools: 1, message: '' }])
    expect(card).toMatchObject({ sessionId: 'fix-auth', recovered: { attempts: 2 } })
    // Not the whole page in a message: what a failure prints should be read.
    expect(['echo', 'It is', '$& $1 '].filter((words) => JSON.stringify(turns).includes(words))).toEqual([])
  })

  it('loads nothing and sends nothing: its policy allows its own script and style alone', async () => {
    const { show } = await seeded()
    const { stdout: page } = await show('--html', '-')
    expect(page).toMatch(
      /content="default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'"/,
    )
    expect(page).not.toMatch(/<(?:script|link|img|iframe)[^>]*(?:src|href)=/)
  })

  it('has content only where it was asked for, with secrets masked, and as data whatever it looks like', async () => {
    const { show } = await seeded()
    const { stdout: page, code } = await show('--html', '-', '--with-content')
    expect(code).toBe(0)
    expect(page.includes(secret)).toBe(false)
    // The template's own: one with data, one with code.
    expect(page.match(/<script/g)).toHaveLength(2)
    // oxlint-disable-next-line no-control-regex
    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/)
    const { turns, hasContent } = dataIn(page)
    expect(hasContent).toBe(true)
    expect(turns[0]?.message).toContain('</script><script>owned()</script>')
    expect(turns[0]?.steps.find(({ kind }) => kind === 'tool')).toMatchObject({
      result: expect.stringContaining('$& $1') as string,
    })
  })

  it('does not replace a file unless it is told to', async () => {
    const { show } = await seeded()
    await show('--html')
    expect(await show('--html')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/already[^]*--force/) as string,
    })
    expect(await show('--html', '--force')).toMatchObject({ code: 0 })
  })

  it('is not made of a session that is not there', async () => {
    const { cwd, show } = await seeded()
    expect(await run(['show', 'other', '--store', 'state', '--html'], { cwd })).toMatchObject({ code: 3 })
    expect(existsSync(join(cwd, 'other.html'))).toBe(false)
    expect(await show('--html', '--raw')).toMatchObject({ code: 2 })
  })
})

it('data goes to its place whatever it says, and a template without one is refused', () => {
  const document = { card: { reason: hostile } } as SessionDocument
  const page = pageOf(document, template)
  expect(dataIn(page)).toEqual(document)
  expect(page.endsWith('<script>code()</script></html>')).toBe(true)
  expect(() => pageOf(document, '<html></html>')).toThrow('place')
})
