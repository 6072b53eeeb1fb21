import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  answered,
  Collector,
  ended,
  newFolder,
  obliging,
  project,
  run,
  seed,
  sent,
  started,
} from '../../test/context.ts'

const strange = 'é \u2028 \u2029 \u0085 😀 "quoted"\n\r\t'
const history = [started(1, strange), sent(), answered('Yes.'), ended(1), started(2, 'And more'), sent()]

async function there() {
  const { cwd, store } = project(obliging)
  await seed(store, 'fix-auth', history)
  return { cwd, store }
}

describe('export and import', () => {
  it('move a session to another store, where it goes on with its open turn', async () => {
    const { cwd } = await there()
    const file = join(cwd, 'fix-auth.lastgood.jsonl')
    const exported = await run(['export', 'fix-auth'], { cwd })
    expect(exported).toMatchObject({ code: 0, stdout: `${file}\n` })
    expect(exported.stderr).toMatch(/^✔ 7 entries of fix-auth, \d+ bytes, with all content/)
    expect(exported.stderr).toContain(`lastgood import ${file}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)

    const there2 = project(obliging)
    expect(await run(['import', file, '--as', 'copy'], { cwd: there2.cwd })).toMatchObject({
      code: 0,
      stdout: 'copy\n',
      stderr: expect.stringMatching(
        /7 entries of fix-auth are in \S+, saved at turn 1\ncontinue with\nlastgood resume copy\n$/,
      ),
    })
    const raw = (await run(['show', 'copy', '--raw'], { cwd: there2.cwd })).stdout.split('\n')
    expect(JSON.parse(raw[1] ?? '')).toMatchObject({ messages: [{ role: 'user', content: strange }] })
    expect(await run(['resume', 'copy'], { cwd: there2.cwd })).toMatchObject({ code: 0, stdout: 'All done.\n' })
    expect((await there2.store.summary('copy'))?.head).toMatchObject({ turn: 2, lastGoodTurn: 2, agent: 'coder' })
    expect((await run(['show', 'copy'], { cwd: there2.cwd })).stdout).toContain('▸ imported, 7 entries of fix-auth')
  })

  it('--json says what was written and read, as one document each', async () => {
    const { cwd } = await there()
    const exported = JSON.parse((await run(['export', 'last', 'a.jsonl', '--json'], { cwd })).stdout) as object
    const file = join(cwd, 'a.jsonl')
    const document = { schema: 'lastgood.export/v1', sessionId: 'fix-auth', file, entries: 7, redacted: false }
    expect(exported).toMatchObject({ ...document, bytes: statSync(file).size, command: `lastgood import ${file}` })
    const imported = await run(['import', 'a.jsonl', '--as', 'b', '--json'], { cwd })
    expect(JSON.parse(imported.stdout)).toMatchObject({
      schema: 'lastgood.import/v1',
      sessionId: 'b',
      from: 'fix-auth',
      entries: 7,
      turn: 2,
      lastGoodTurn: 1,
      status: 'running',
      command: 'lastgood resume b',
    })
  })

  it('a file that is there is replaced only with --force, and no half of one is left behind', async () => {
    const { cwd, store } = await there()
    writeFileSync(join(cwd, 'a.jsonl'), 'mine')
    const refused = await run(['export', 'fix-auth', 'a.jsonl'], { cwd })
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('already exists') })
    expect(readFileSync(join(cwd, 'a.jsonl'), 'utf8')).toBe('mine')
    expect(await run(['export', 'fix-auth', 'a.jsonl', '--force'], { cwd })).toMatchObject({ code: 0 })
    expect(readFileSync(join(cwd, 'a.jsonl'), 'utf8')).toContain('lastgood-export')
    expect(statSync(join(cwd, 'a.jsonl')).mode & 0o777).toBe(0o600)

    await run(['fork', 'fix-auth', 'fork'], { cwd })
    await store.remove('fix-auth')
    for (const flags of [[], ['--force']]) {
      expect(await run(['export', 'fork', 'b.jsonl', ...flags], { cwd })).toMatchObject({ code: 6 })
    }
    expect(await run(['export', 'fork', 'nowhere/b.jsonl'], { cwd })).toMatchObject({ code: 2 })
    expect(readdirSync(cwd).filter((name) => name.includes('.jsonl'))).toEqual(['a.jsonl'])
  })

  it('- is stdout, but no terminal and not beside a document', async () => {
    const { cwd } = await there()
    const { code, stdout, stderr } = await run(['export', 'fix-auth', '-'], { cwd })
    expect({ code, stderr, lines: stdout.split('\n').length }).toEqual({ code: 0, stderr: '', lines: 10 })
    expect(await run(['export', 'fix-auth', '-', '--json'], { cwd })).toMatchObject({ code: 2 })
    const terminal = new Collector()
    terminal.isTTY = true
    expect(await run(['export', 'fix-auth', '-'], { cwd, stdout: terminal })).toMatchObject({ code: 2 })
    expect(terminal.text).toBe('')
  })

  it('--redact leaves no content, and such a file cannot be imported', async () => {
    const { cwd } = await there()
    const { stderr } = await run(['export', 'fix-auth', 'r.jsonl', '--redact'], { cwd })
    expect(stderr).toContain('without content: it cannot be imported')
    expect(readFileSync(join(cwd, 'r.jsonl'), 'utf8')).not.toMatch(/And more|"Yes\.|quoted|projects/)
    const { code, stderr: why } = await run(['import', 'r.jsonl', '--as', 'x'], { cwd })
    expect(code).toBe(2)
    expect(why).toMatch(/without its content[^]*next: export it again at its source, without --redact/)
  })

  it.each([
    ['cut off', (text: string) => text.slice(0, -400), 6, 'line'],
    ['altered', (text: string) => text.replace('And more', 'And less'), 6, 'line 7 of the file was altered'],
    ['with the line ends of another system', (text: string) => text.replaceAll('\n', '\r\n'), 6, 'of the file'],
    ['something else', () => '{"name":"package"}\n', 6, 'line 1 of the file is not the header of an exported session'],
    ['empty', () => '', 6, 'the file is empty'],
    ['newer', (text: string) => text.replace('"v":1', '"v":9'), 6, 'was written by a newer lastgood'],
  ])('a file that is %s makes no session', async (_what, damage, code, message) => {
    const { cwd, store } = await there()
    await run(['export', 'fix-auth', 'a.jsonl'], { cwd })
    writeFileSync(join(cwd, 'b.jsonl'), damage(readFileSync(join(cwd, 'a.jsonl'), 'utf8')))
    const ran = await run(['import', 'b.jsonl', '--as', 'x'], { cwd })
    expect(ran).toMatchObject({ code, stderr: expect.stringContaining(message) })
    expect(ran.stderr).toMatch(/\n {2}next: /)
    expect(await store.summary('x')).toBeUndefined()
  })

  it('a journal under the name of another session is damage, and makes no file', async () => {
    const { cwd } = await there()
    const sessions = join(cwd, 'state/sessions')
    copyFileSync(join(sessions, 'fix-auth.jsonl'), join(sessions, 'other.jsonl'))
    const { code, stderr } = await run(['export', 'other'], { cwd })
    expect(code).toBe(6)
    expect(stderr).toMatch(/other\.jsonl, entry 7: the head belongs to another session\n/)
    expect(readdirSync(cwd).filter((name) => name.endsWith('.jsonl'))).toEqual([])
  })

  it('a path with two spaces is told as it is, on stdout and where an error names the next command', async () => {
    const { cwd } = await there()
    const file = join(cwd, 'a  b.jsonl')
    expect(await run(['export', 'fix-auth', file], { cwd })).toMatchObject({
      code: 0,
      stdout: `${file}\n`,
      stderr: expect.stringContaining(`lastgood import '${file}'\n`),
    })
    const journal = join(cwd, 'c  d', 'sessions', 'fix-auth.jsonl')
    mkdirSync(journal, { recursive: true })
    const { stderr } = await run(['export', 'fix-auth', '--store', 'c  d'], { cwd })
    expect(stderr).toContain(`next: move it away: mv '${journal}' '${journal}.aside'\n`)
  })

  it('a name that is taken and a file that is not there are told apart', async () => {
    const { cwd } = await there()
    await run(['export', 'fix-auth', 'a.jsonl'], { cwd })
    expect(await run(['import', 'a.jsonl'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/a session called fix-auth already exists\n {2}next: choose another name: .* --as/),
    })
    expect(await run(['import', 'none.jsonl'], { cwd: newFolder() })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no file'),
    })
  })

  it.runIf(existsSync('/dev/null'))('what is no file is not imported: what is read from it once is gone', async () => {
    expect(await run(['import', '/dev/null'], { cwd: newFolder() })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /null is not a regular file: an import reads it twice[^]*\n {2}next: keep what comes in a file/,
      ),
    })
  })
})
