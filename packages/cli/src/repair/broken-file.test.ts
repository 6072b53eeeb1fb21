import { checkRequest } from '@lastgood/outage-lab'
import { repairTranscript, type Block, type Message } from '@lastgood/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mendClaudeCodeFile } from './claude-code-file.ts'
import {
  call,
  linesFor,
  requestOf,
  resigned,
  result,
  sentOf,
  text,
  twoTurns,
  valuesIn,
  type LineValue,
} from './session-file.fixture.ts'

function mend(file: Buffer) {
  let count = 0
  return mendClaudeCodeFile(file, () => `new-${(count += 1)}`)
}

describe('a file that is broken at random', () => {
  it('is repaired so that the API takes it, with the results that the rules leave, once is enough, and nothing else of it is touched', () => {
    fc.assert(
      fc.property(brokenFiles, (file) => {
        const mended = mend(file)
        if (mended?.unrepairable === 'nothing of it would be left') return
        const bytes = mended?.bytes ?? file
        expect(mended?.unrepairable).toBeUndefined()
        expect(mend(bytes)?.repairs).toEqual([])
        expect(mend(bytes)?.bytes).toBeUndefined()
        const kept = unknownIn(bytes)
        for (const line of unknownIn(file)) {
          while (kept.length > 0 && kept[0] !== line) kept.shift()
          expect(kept.shift()).toBe(line)
        }
        expect(uuidsIn(bytes)).toEqual(expect.arrayContaining(uuidsIn(file)))
        const whole = repairTranscript({ messages: mended?.before ?? [] })
        expect(resultsIn(mend(bytes)?.before)).toEqual(resultsIn(whole.messages))
        const thought = sentOf(bytes).flatMap(({ content }) =>
          (content as Block[]).filter(({ type }) => type === 'thinking'),
        )
        expect(thought.filter(({ signature }) => !signature)).toEqual([])
        expect({ violation: checkRequest(resigned(requestOf(bytes))) }).toEqual({ violation: undefined })
      }),
      { numRuns: 150 },
    )
  })
})

const resultsIn = (messages: readonly Message[] = []): string[] =>
  JSON.stringify(messages).match(/toolu_\d done/g) ?? []

const uuidsIn = (file: Buffer): unknown[] => valuesIn(file).flatMap(({ uuid }) => uuid ?? [])

/** As text in which every byte is a character. */
function unknownIn(file: Buffer): string[] {
  return file
    .toString('latin1')
    .split('\n')
    .filter((line) => {
      try {
        const value = JSON.parse(Buffer.from(line, 'latin1').toString()) as LineValue
        return !/^(user|assistant)$/.test(String(value['type'])) || value['isSidechain'] === true
      } catch {
        return true
      }
    })
    .filter((line) => !line.includes('lastgood repair left out') && line !== '')
}

type Break = (lines: LineValue[], at: number) => LineValue[]

const spokenAt = (lines: LineValue[], at: number): LineValue | undefined => {
  const spoken = lines.filter(({ type, message }) => message && /^(user|assistant)$/.test(String(type)))
  return spoken[at % spoken.length]
}

/** Changes one block, wherever it is. */
const inBlock =
  (change: (block: Record<string, unknown>) => void): Break =>
  (lines, at) => {
    const content = spokenAt(lines, at)?.message?.content
    if (Array.isArray(content)) content.forEach(change)
    return lines
  }

const inMessage =
  (change: (message: { role: string; content: string | Block[] }) => void): Break =>
  (lines, at) => {
    const line = spokenAt(lines, at)
    if (line?.message) change(line.message)
    return lines
  }

const under = (lines: readonly LineValue[], parent: LineValue | undefined) =>
  lines.filter((line) => parent && line['parentUuid'] === parent['uuid'])

/** The last line hangs on it. */
function leadsOn(lines: readonly LineValue[], line: LineValue, seen = new Set<LineValue>()): boolean {
  if (seen.has(line)) return false
  seen.add(line)
  const last = lines.findLast(({ uuid }) => uuid !== undefined)
  return line === last || under(lines, line).some((child) => leadsOn(lines, child, seen))
}

/** A result beside the way to the last line. Without its content or its call it is lost, which `sentOf` does not know. */
const isBeside = (lines: readonly LineValue[], line: LineValue): boolean =>
  line.type === 'user' && !leadsOn(lines, line)

const holdsOther = (lines: readonly LineValue[], gone: LineValue | undefined): boolean =>
  under(lines, gone).some((child) => isBeside(lines, child))

const breaks: readonly Break[] = [
  (lines, at) => {
    const gone = spokenAt(lines, at)
    return holdsOther(lines, gone) ? lines : lines.filter((line) => line !== gone)
  },
  // As if it had never been written: what hung on it hangs on its parent.
  (lines, at) => {
    const gone = spokenAt(lines, at)
    if (
      holdsOther(lines, gone) &&
      !lines.some((line) => line['uuid'] === gone?.['parentUuid'] && line['isSidechain'] !== true)
    )
      return lines
    for (const line of lines) if (line['parentUuid'] === gone?.['uuid']) line['parentUuid'] = gone?.['parentUuid']
    return lines.filter((line) => line !== gone)
  },
  (lines, at) => {
    const again = spokenAt(lines, at)
    const place = again ? lines.indexOf(again) : 0
    const uuid = `again-${at}-${lines.length}`
    for (const line of lines) if (line['parentUuid'] === again?.['uuid']) line['parentUuid'] = uuid
    return lines.toSpliced(place + 1, 0, { ...structuredClone(again), uuid, parentUuid: again?.['uuid'] } as LineValue)
  },
  inBlock((block) => 'text' in block && (block['text'] = ' \n')),
  inBlock((block) => 'text' in block && (block['parsed'] = { a: 1 })),
  inBlock((block) => 'text' in block && (block['text'] = 'half \ud83d')),
  inBlock((block) => 'signature' in block && (block['signature'] = '')),
  inBlock((block) => 'signature' in block && delete block['signature']),
  inBlock((block) => 'input' in block && (block['input'] = 'ls')),
  inBlock((block) => 'id' in block && (block['id'] = `call:${String(block['id'])}`)),
  inBlock((block) => 'name' in block && (block['name'] = 'x'.repeat(300))),
  inBlock((block) => 'tool_use_id' in block && (block['tool_use_id'] = 'toolu_gone')),
  inBlock((block) => 'tool_use_id' in block && (block['content'] = '\udc00')),
  ...['', []].map((nothing): Break => (lines, at) => {
    const line = spokenAt(lines, at)
    if (line?.message && !isBeside(lines, line)) line.message.content = nothing
    return lines
  }),
  inMessage((message) => Array.isArray(message.content) && message.content.push(structuredClone(result('toolu_1')))),
  inMessage((message) => Array.isArray(message.content) && message.content.push(structuredClone(call('toolu_2')))),
  inMessage((message) => Array.isArray(message.content) && message.content.unshift(text('first'))),
  (lines, at) => {
    const line = spokenAt(lines, at)
    if (line && !holdsOther(lines, line)) line['isSidechain'] = true
    return lines
  },
]

const junk = fc.constantFrom(
  '{"half',
  '[1]',
  '{"type":"summary","summary":"x","leafUuid":"y"}',
  '{ "a" : 1.00 }',
  '\xff\xfe',
)

const brokenFiles: fc.Arbitrary<Buffer> = fc
  .record({
    cut: fc.integer({ min: 1, max: twoTurns.length }),
    damage: fc.array(fc.tuple(fc.nat(breaks.length - 1), fc.nat(1000)), { maxLength: 4 }),
    junk: fc.array(fc.tuple(junk, fc.nat(1000)), { maxLength: 4 }),
    torn: fc.nat(60),
  })
  .map(({ cut, damage, junk: strange, torn }) => {
    let lines = linesFor(twoTurns.slice(0, cut))
    for (const [kind, at] of damage) lines = (breaks[kind] as Break)(lines, at)
    const texts = lines.map((line) => JSON.stringify(line))
    for (const [line, at] of strange) texts.splice(at % (texts.length + 1), 0, line)
    const file = Buffer.from(
      `${texts.map((line) => Buffer.from(line, line.startsWith('\xff') ? 'latin1' : 'utf8').toString('latin1')).join('\n')}\n`,
      'latin1',
    )
    return torn < 20 ? file.subarray(0, file.length - torn) : file
  })
  .filter((file) => sentOf(file).length > 0)
