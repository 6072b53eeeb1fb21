/** docs/telemetry.md has the names that are in the code: all of them, and no others. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Happenings, memoryStore, openSession, type Happening } from '@lastgood/core'
import { expect, onTestFinished, test } from 'vitest'
import { documentOf, root } from './support/documents.ts'

const { rows, code } = documentOf('docs/telemetry.md')
const folder = join(root, 'packages/otel/src')
const source = readdirSync(folder)
  .map((file) => readFileSync(join(folder, file), 'utf8'))
  .join('\n')
const named = (text: string) =>
  new Set(Array.from(text.matchAll(/['"`]((?:lastgood|gen_ai)\.[a-z_.]+)/g), ([, name]) => name))

test('every name of a span, an event or an attribute is told', () => {
  const told = new Set(code.map((word) => word.replace(/ \{.*/, '')))
  const inCode = [...named(source)].filter((name) => name !== 'lastgood.')
  expect(inCode.filter((name) => !told.has(name ?? ''))).toEqual([])
})

test('every metric is told, and none that is not there', () => {
  const made = Array.from(source.matchAll(/#counter\(\s*'([a-z_.]+)'/g), ([, name]) => `lastgood.${name}`)
  const others = ['lastgood.recovery.duration', 'lastgood.sessions']
  for (const name of others) expect(source).toContain(`'${name}'`)
  const told = rows.flatMap(([first = '', type = '']) =>
    /^(counter|histogram|gauge)/.test(type) ? [first.replaceAll('`', '')] : [],
  )
  expect(told.toSorted()).toEqual([...made, ...others].toSorted())
})

test('every attribute that is told is in the code', () => {
  const inCode = named(source)
  const ours = code.filter((word) => /^lastgood\.[a-z_.]+$/.test(word))
  expect(ours.filter((word) => !inCode.has(word) && !source.includes(`'${word.replace('lastgood.', '')}'`))).toEqual([])
})

test('every line of a log is told, with its fields', () => {
  const happening = readFileSync(join(root, 'packages/core/src/watching/happening.ts'), 'utf8')
  const fieldsIn = (text = '') => Array.from(text.matchAll(/(\w+)\??: /g), ([, name]) => name)
  const fieldsOf = (name: string) => fieldsIn(new RegExp(`interface ${name} {([^}]*)}`).exec(happening)?.[1])
  const written = Array.from(
    happening.matchAll(/\{ kind: '([a-z-]+)'; ([^}]*)\}(?: & (?:Partial<)?(\w+))?/g),
    ([, kind, own, more = '']) => [kind, [...fieldsIn(own), ...fieldsOf(more)].toSorted()] as const,
  )
  const told = rows.flatMap(([event = '', level = '', fields = '']) =>
    /^(debug|info|warn|error)$/.test(level)
      ? [[event.replaceAll('`', ''), Array.from(fields.matchAll(/`(\w+)`/g), ([, name]) => name).toSorted()] as const]
      : [],
  )
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(written.filter(([kind]) => kind !== 'waited')))
})

test('every line that the command line adds of its own is told', () => {
  const talking = ['server/talk.ts', 'gateway/command.ts', 'worker/command.ts', 'dashboard/mount.ts']
  const told = talking.flatMap((file) => {
    const text = readFileSync(join(root, 'packages/cli/src', file), 'utf8')
    return Array.from(text.matchAll(/\{ event: '([a-z-]+)'/g), ([, name = '']) => name)
  })
  expect(told.length).toBeGreaterThan(5)
  expect(told.filter((name) => !code.includes(name))).toEqual([])
})

test('a happening has no content: its fields are those of the table', async () => {
  const session = await openSession('ses', { store: memoryStore() })
  onTestFinished(() => session.close())
  const happenings = new Happenings(session, undefined)
  const all: Happening[] = []
  session.subscribe((event) => void all.push(...happenings.take(event)))
  await session.startTurn([{ role: 'user', content: 'the-prompt' }], 'coder')
  expect(all).toEqual([{ kind: 'turn-started', at: expect.any(Number), turn: 1, agent: 'coder' }])
})
