import { chmodSync, chownSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ManualClock } from '@lastgood/core/testing'
import { checkRequest } from '@lastgood/outage-lab'
import { describe, expect, it } from 'vitest'
import { startNode } from '../../../../test/support/running-process.ts'
import { Collector, newFolder, run } from '../../test/context.ts'
import { fileOf, linesFor, requestOf, twoTurns } from './session-file.fixture.ts'

const clock = () => new ManualClock({ startAt: Date.parse('2026-11-29T03:15:00.123Z') })
const poisoned = (): Buffer => {
  const lines = linesFor(twoTurns)
  const said = lines.find(({ message }) => message?.content === 'Again please.')
  if (said?.message) said.message.content = ''
  return fileOf(lines)
}

function there(bytes: Buffer | string = poisoned(), name = 'session.jsonl') {
  const cwd = newFolder()
  const path = join(cwd, name)
  writeFileSync(path, bytes)
  chmodSync(path, 0o640)
  return { cwd, path, names: () => readdirSync(cwd).sort() }
}

describe('repair of a file', () => {
  it('shows what it would do, by turn, message and rule, and changes nothing', async () => {
    const { cwd, path, names } = there()
    const { code, stdout, stderr } = await run(['repair', 'session.jsonl'], { cwd })
    expect(code).toBe(0)
    expect(stderr).toContain(`${path}: a session file of Claude Code, 10 messages\n`)
    expect(stdout).toMatch(
      /turn 2\n {2}message 6 user\n {4}empty-text repaired an empty user message\n {4}- text ""\n {4}\+ text "\(no content\)"\n/,
    )
    expect(stdout).toContain('as a whole\n  strip-thinking left out all thinking')
    expect(stderr).toContain('nothing was changed; to apply it\nlastgood repair session.jsonl --apply\n')
    expect(readFileSync(path)).toEqual(poisoned())
    expect(names()).toEqual(['session.jsonl'])
    expect(await run(['repair', 'session.jsonl', '--dry-run'], { cwd })).toMatchObject({ code: 0, stdout })
  })

  it('--apply puts it in its place, keeps its permissions and a copy, and a second time finds nothing', async () => {
    const { cwd, path, names } = there()
    const { code, stderr } = await run(['repair', './session.jsonl', '--apply', '--yes'], { cwd, clock: clock() })
    expect(code).toBe(0)
    const backup = join(cwd, 'session.jsonl.backup-20261129T031500Z')
    expect(stderr).toContain(`✔ repaired; to restore the original\nmv ${backup} ${path}\n`)
    expect(names()).toEqual(['session.jsonl', 'session.jsonl.backup-20261129T031500Z'])
    expect(readFileSync(backup)).toEqual(poisoned())
    for (const file of [path, backup]) expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(checkRequest(requestOf(readFileSync(path)))).toBeUndefined()
    const again = await run(['repair', path, '--apply'], { cwd })
    expect(again).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('✔ nothing to repair') })
    expect(names()).toHaveLength(2)
  })

  it('never takes the name of a copy that is there, and follows a link to the file', async () => {
    const { cwd, path, names } = there()
    symlinkSync(path, join(cwd, 'link.jsonl'))
    await run(['repair', 'link.jsonl', '--apply', '--yes'], { cwd, clock: clock() })
    writeFileSync(path, poisoned())
    await run(['repair', 'link.jsonl', '--apply', '--yes'], { cwd, clock: clock() })
    const copy = 'session.jsonl.backup-20261129T031500Z'
    expect(names()).toEqual(['link.jsonl', 'session.jsonl', copy, `${copy}-2`])
    expect(checkRequest(requestOf(readFileSync(path)))).toBeUndefined()
  })

  it.skipIf(process.getuid?.() !== 0)('of somebody else stays theirs', async () => {
    const { cwd, path } = there()
    chownSync(path, 12345, 12346)
    expect(await run(['repair', path, '--apply', '--yes'], { cwd })).toMatchObject({ code: 0 })
    expect(statSync(path)).toMatchObject({ uid: 12345, gid: 12346 })
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  it('asks before it writes; without a terminal needs --yes', async () => {
    const { cwd, path } = there()
    expect(await run(['repair', path, '--apply'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('add --yes to do it'),
    })
    const stderr = new Collector()
    stderr.isTTY = true
    const stdin = { isTTY: true, line: async () => 'n' }
    expect(await run(['repair', path, '--apply'], { cwd, stderr, stdin })).toMatchObject({ code: 0 })
    expect(stderr.text).toContain('nothing was changed')
    expect(readFileSync(path)).toEqual(poisoned())
  })

  it('that a client wrote meanwhile is left as it is: exit code 5', async () => {
    const { cwd, path, names } = there()
    const stderr = new Collector()
    stderr.isTTY = true
    const line = async () => {
      writeFileSync(path, 'more\n', { flag: 'a' })
      return 'y'
    }
    expect(await run(['repair', path, '--apply'], { cwd, stderr, stdin: { isTTY: true, line } })).toMatchObject({
      code: 5,
    })
    expect(stderr.text).toMatch(/was written while it was repaired[^]*next: end the program that writes it/)
    expect(readFileSync(path, 'utf8').endsWith('more\n')).toBe(true)
    expect(names()).toEqual(['session.jsonl'])
  })

  it.each([
    ['no JSON', 'hello\n'],
    ['no messages', '{ "a": 1 }'],
    ['an export', '{"kind":"lastgood-export","v":1}\n{"type":"session-opened"}\n'],
    ['nothing', ''],
  ])('that holds %s is told so and left alone', async (_what, text) => {
    const { cwd, path, names } = there(text, 'other.json')
    const ran = await run(['repair', path, '--apply', '--yes'], { cwd })
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toMatch(
      /is no transcript that can be repaired, and was left as it is\n {2}next: name a JSON array/,
    )
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(names()).toEqual(['other.json'])
  })

  it('that is not there is exit code 2', async () => {
    const { cwd } = there()
    expect(await run(['repair', './nobody.json'], { cwd })).toMatchObject({ code: 2 })
    expect(await run(['repair', cwd], { cwd })).toMatchObject({ code: 2 })
  })

  it('of messages as JSON keeps its indentation, and what is beside the messages', async () => {
    const messages = [
      { role: 'user', content: 'Go', note: 1 },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'a:1', name: 'run', input: {} }] },
    ]
    const { cwd, path } = there(JSON.stringify(messages, undefined, 4), 'messages.json')
    expect((await run(['repair', path, '--apply', '--yes'], { cwd })).code).toBe(0)
    const text = readFileSync(path, 'utf8')
    expect(text).toMatch(/^\[\n {4}\{\n {8}"role": "user",\n {8}"content": "Go",\n {8}"note": 1\n/)
    expect(JSON.parse(text)).toMatchObject([
      {},
      { content: [{ id: 'a_1' }] },
      { content: [{ tool_use_id: 'a_1', is_error: true }] },
    ])
  })

  it('of a request is judged with its settings, and fields stay in their order', async () => {
    const body = {
      model: 'claude-opus-5-5',
      temperature: 0.2,
      messages: [{ role: 'user', content: 'Go \ud83d' }],
      max_tokens: 100,
      metadata: { user_id: 'ann' },
    }
    const { cwd, path } = there(`${JSON.stringify(body)}\n`, 'request.json')
    const { stdout } = await run(['repair', path, '--apply', '--yes', '--json'], { cwd, clock: clock() })
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'lastgood.repair/v1',
      file: path,
      form: 'request',
      messages: 1,
      changes: [{ turn: 1, message: 0, role: 'user', rules: [{ rule: 'unicode' }] }],
      whole: [{ rule: 'sampling' }],
      unrepairable: null,
      applied: true,
      backup: `${path}.backup-20261129T031500Z`,
    })
    const now = JSON.parse(readFileSync(path, 'utf8')) as object
    expect(Object.keys(now)).toEqual(['model', 'messages', 'max_tokens', 'metadata'])
    expect(checkRequest(now)).toBeUndefined()
  })

  it('that is not there is told as a file, too, if it has the name of one', async () => {
    const { cwd } = there()
    const { code, stderr } = await run(['repair', 'sesion.jsonl'], { cwd })
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /no session sesion\.jsonl in .*, and no file sesion\.jsonl in this folder\n {2}next: name the file with/,
    )
  })

  it('without its folder, where there is no such session, says how a file is named', async () => {
    const { cwd } = there(poisoned(), 'notes')
    expect(await run(['repair', 'notes', '--store', 'state'], { cwd })).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /no session notes in .*; a file is named with its folder\n {2}next: lastgood repair \.\/notes\n/,
      ),
    })
    expect(await run(['repair', 'missing', '--store', 'state'], { cwd })).toMatchObject({
      code: 3,
      stderr: expect.not.stringContaining('a file is named'),
    })
  })

  it('with --revert says where the copy is', async () => {
    const { cwd, path } = there()
    expect(await run(['repair', path, '--revert'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('.backup-*'),
    })
  })

  it('as the built command', async () => {
    const { cwd, path } = there()
    const bin = fileURLToPath(new URL('../../dist/bin/lastgood.js', import.meta.url))
    const repairing = startNode([bin, 'repair', 'session.jsonl', '--apply', '--yes'], { cwd })
    expect(await repairing.ended).toMatchObject({ code: 0, signal: null })
    expect(checkRequest(requestOf(readFileSync(path)))).toBeUndefined()
  })
})
