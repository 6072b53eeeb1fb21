/** The pages of docs are true: their links lead somewhere, their tables are those of the code. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { classify, defaultPolicy, LastgoodError, parseEntry, type ErrorCode, type FaultKind } from '@lastgood/core'
import { describe, expect, test } from 'vitest'
import { exitCodeOf, exitCodes } from '../packages/cli/src/exit-codes.ts'
import { meaningOfCode } from '../packages/core/src/faults/error-codes.ts'
import { errorPatterns } from '../packages/core/src/faults/error-patterns.ts'
import { faultKinds } from '../packages/core/src/faults/fault-kinds.ts'
import { faultKindSchema } from '../packages/core/src/faults/fault.ts'
import { entryBodySchema } from '../packages/core/src/journal/journal.ts'
import { documentOf, documents, pages, root } from './support/documents.ts'
import { seenAs, seenWith, sortingKey, wordsOf } from './support/error-index.ts'

const errorsSource = readFileSync(join(root, 'packages/core/src/errors.ts'), 'utf8')
const errorCodes = Array.from(errorsSource.matchAll(/^ {2}\| '([a-z-]+)'$/gm), ([, name]) => name as ErrorCode)

describe('places', () => {
  test.each(pages)('what %s points at is there', (path) => {
    const { links, code } = documentOf(path)
    const missing = links.filter((link) => {
      if (/^https?:/.test(link)) return false
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : join(dirname(path), file)
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && !documents.get(target)?.anchors.has(anchor)
    })
    const files = code.filter((word) => /^(packages|test|docs|examples)\/[\w./-]+$/.test(word))
    expect([...missing, ...files.filter((file) => !existsSync(join(root, file)))]).toEqual([])
  })

  test('the files that docs/design.md names are there', () => {
    const named = documentOf('docs/design.md').code.filter((word) => /^[\w./-]+\.ts$/.test(word))
    const missing = named.filter(
      (file) => !existsSync(join(root, 'packages/core/src', file)) && !existsSync(join(root, file)),
    )
    expect(missing).toEqual([])
  })
})

describe('docs/errors', () => {
  const { rows } = documentOf('docs/errors/README.md')
  const codePages = pages.flatMap((path) => /^docs\/errors\/([a-z-]+)\.md$/.exec(path)?.[1] ?? [])

  test('every code has a page, every page is of a code, and the index leads to each', () => {
    expect(codePages.toSorted()).toEqual(errorCodes.toSorted())
    expect(rows.flatMap(([first = '']) => /^\[([a-z-]+)\]\(\1\.md\)$/.exec(first)?.[1] ?? [])).toEqual(codePages)
    expect(codePages.length).toBeGreaterThan(10)
  })

  test.each(codePages)('%s.md begins with the next command and has the same parts as the others', (name) => {
    const { lines, fences } = documentOf(`docs/errors/${name}.md`)
    expect(lines[0]).toBe(`# ${name}`)
    expect(fences[0]).toMatchObject({ language: 'sh', line: 3, text: expect.stringMatching(/^lastgood \S+.*\n$/) })
    expect(lines.filter((line) => line.startsWith('## '))).toEqual([
      '## What you saw',
      '## What happened',
      '## What is safe',
      '## What lastgood has done',
      '## How to prevent it',
      '## In the journal',
    ])
  })

  /** Where a kind is told of, and the error that it ends as, by the fault table. */
  const promised = (kind: FaultKind): string[] => {
    const rule = defaultPolicy.rules[kind]
    const section = { retry: 'waited-out', suspend: 'suspended-at-once', repair: 'repaired', fail: 'reported-at-once' }
    const then = rule.action === 'repair' ? rule.otherwise : rule.action
    const end = then === 'keep' ? 'nothing: it counts' : then === 'fail' ? 'request-failed' : 'session-suspended'
    return [`[${kind}](../recovery.md#${section[rule.action]})`, then === 'keep' ? end : `[${end}](${end}.md)`]
  }
  const kindIn = (cell = '') => faultKindSchema().safeParse(/^\[([a-z-]+)\]\(\.\./.exec(cell)?.[1]).data
  const messages = rows.flatMap(([message = '', status = '', cell, end = '']) => {
    const kind = kindIn(cell)
    return kind === undefined ? [] : [{ message, status, kind, cells: [cell, end] }]
  })

  test.each(messages)('"$message" with $status is $kind', ({ message, status, kind, cells }) => {
    expect(classify(seenWith(message, status)).kind).toBe(kind)
    expect(cells).toEqual(promised(kind))
  })

  test('the messages are sorted, each once', () => {
    const keys = messages.map(({ message, status }) => `${sortingKey(message)} ${status}`)
    expect(keys).toEqual([...new Set(keys)].toSorted())
  })

  test('every text that lastgood knows has an example', () => {
    const isKnown = (status: string, message: string) => (pattern: (typeof errorPatterns)[number]) =>
      pattern.statuses.includes(Number(status.replace('-', '0'))) && pattern.text.test(wordsOf(message))
    const shown = new Set(messages.map(({ message, status }) => errorPatterns.find(isKnown(status, message))))
    expect(errorPatterns.filter((pattern) => !shown.has(pattern)).map(({ text }) => text)).toEqual([])
  })

  const listsCodes = (cell: string) => /^`[a-z_]+`(, `[a-z_]+`)*$/.test(cell)
  test('every error code of the API is in its row', () => {
    const told = rows.flatMap(([codes = '', cell, end]) => {
      const kind = kindIn(cell)
      if (kind === undefined || !listsCodes(codes)) return []
      expect([cell, end]).toEqual(promised(kind))
      return codes.split(', ').map((code) => [code.replaceAll('`', ''), kind] as const)
    })
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries([...meaningOfCode].map(([code, { kind }]) => [code, kind])),
    )
  })

  const unsaid = rows.flatMap(([what = '', cell, end = '']) => {
    const kind = kindIn(cell)
    return kind === undefined || listsCodes(what) ? [] : [{ what, kind, cells: [cell, end] }]
  })

  test.each(unsaid)('"$what" is $kind', ({ what, kind, cells }) => {
    expect(classify(seenAs(what)).kind).toBe(kind)
    expect(cells).toEqual(promised(kind))
  })

  test('every kind of fault is in the index', () => {
    const shown = new Set(rows.flatMap((cells) => cells.map(kindIn)))
    expect(faultKinds.filter((kind) => !shown.has(kind))).toEqual([])
  })
})

describe('docs/recovery.md', () => {
  const { rows } = documentOf('docs/recovery.md')
  const rowsOf = (kind: string) => rows.filter(([first]) => first === `\`${kind}\``)

  test('has one row for every kind of fault', () => {
    expect(faultKinds.filter((kind) => rowsOf(kind).length !== 1)).toEqual([])
  })

  const msOf = (text: string) => {
    const [, number, unit] = /^([\d.]+) (s|min)$/.exec(text) ?? []
    return number === undefined ? undefined : Number(number) * (unit === 's' ? 1_000 : 60_000)
  }
  const waited = Object.entries(defaultPolicy.rules).flatMap(([kind, rule]) =>
    rule.action === 'retry' ? [{ kind, rule }] : [],
  )
  test.each(waited)('has the numbers of $kind', ({ kind, rule }) => {
    const [[, , base = '', cap = '', longCap = '', ladder = ''] = []] = rowsOf(kind)
    const { baseMs, capMs, longCapMs, fallback } = rule
    expect({ baseMs: msOf(base), capMs: msOf(cap), longCapMs: msOf(longCap) }).toEqual({ baseMs, capMs, longCapMs })
    const parts = fallback && [
      `${fallback.attempts} attempts`,
      ...(fallback.afterMs > 0 ? [`${fallback.afterMs / 1_000} s`] : []),
      ...(fallback.to === 'endpoint' ? ['another endpoint'] : []),
    ]
    expect(ladder).toBe(parts?.join(', ') ?? '')
  })

  test('has the exit codes of the program', () => {
    const table = rows.filter(([first = '']) => /^\d+(, \d+)*$/.test(first))
    const numbers = table.flatMap(([first = '']) => first.split(', ').map(Number))
    expect(numbers).toEqual(expect.arrayContaining(Object.values(exitCodes)))
    const told = table.flatMap(([number, , names = '']) =>
      errorCodes.filter((name) => names.split(', ').includes(name)).map((name) => [name, Number(number)]),
    )
    const known = (name: ErrorCode) => exitCodeOf(new LastgoodError(name, '', { hint: '', details: { retryAt: 1 } }))
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(errorCodes.map((name) => [name, known(name)])))
  })
})

describe('docs/journal.md', () => {
  const { fences, rows } = documentOf('docs/journal.md')
  const shownJson = fences.filter(({ language }) => language === 'json').map(({ text }) => text)
  const line = shownJson.find((text) => text.includes('"hash"'))
  const entries = shownJson.filter((text) => text !== line)

  test('has a row for every kind of entry', () => {
    const kinds = entryBodySchema().options.map((body) => `\`${body.shape.type.value}\``)
    expect(kinds.filter((kind) => !rows.some(([first]) => first === kind))).toEqual([])
  })

  test('shows a real line: its hash is right, and its entry can be read', () => {
    const shown = JSON.parse(line ?? '') as { hash: string; size: number; entries: unknown[] }
    const { hash, size, ...rest } = shown
    const hashed = JSON.stringify(rest).slice(1)
    expect(Buffer.byteLength(hashed)).toBe(size)
    expect(createHash('sha256').update(hashed).digest('hex')).toBe(hash)
    for (const entry of shown.entries) expect(() => parseEntry(entry, 'docs/journal.md')).not.toThrow()
  })

  test('its examples of entries can be read', () => {
    expect(entries.length).toBeGreaterThan(3)
    for (const entry of entries) expect(() => parseEntry(JSON.parse(entry), 'docs/journal.md')).not.toThrow()
  })
})

test('docs/export.md shows real lines: their hashes are right', () => {
  const { fences } = documentOf('docs/export.md')
  const lines = fences.filter(({ language }) => language === 'json').map(({ text }) => JSON.parse(text) as object)
  const [header, line, end] = lines as [object, { sha256: string; entry: object }, { header: string }]
  const hashOf = (value: object) => createHash('sha256').update(JSON.stringify(value)).digest('hex')
  expect(line.sha256).toBe(hashOf(line.entry))
  expect(end.header).toBe(hashOf(header))
  expect(() => parseEntry(line.entry, 'docs/export.md')).not.toThrow()
})
