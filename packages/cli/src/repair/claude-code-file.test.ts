import { checkRequest } from '@lastgood/outage-lab'
import type { Block } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { mendClaudeCodeFile } from './claude-code-file.ts'
import {
  assistant,
  call,
  fileOf,
  linesFor,
  requestOf,
  result,
  sentOf,
  text,
  thinking,
  twoTurns,
  user,
  valuesIn,
  type LineValue,
} from './session-file.fixture.ts'

const counter = () => {
  let count = 0
  return () => `new-${(count += 1)}`
}
const mend = (file: Buffer) => mendClaudeCodeFile(file, counter())
const holds = (type: string, id?: string) => (line: LineValue) =>
  /^(user|assistant)$/.test(String(line['type'])) &&
  Array.isArray(line.message?.content) &&
  line.message.content.some((block) => block.type === type && (id === undefined || Object.values(block).includes(id)))

function broken(change: (lines: LineValue[]) => LineValue[] | void): Buffer {
  const lines = linesFor(twoTurns)
  return fileOf(change(lines) ?? lines)
}

function blockOf(lines: LineValue[], type: string, id?: string): Block {
  const content = lines.find(holds(type, id))?.message?.content as Block[]
  return content.find((block) => block.type === type) as Block
}

describe('a session file of Claude Code', () => {
  it('that the API takes is left alone', () => {
    const file = fileOf(linesFor(twoTurns))
    expect(checkRequest(requestOf(file))).toBeUndefined()
    expect(mend(file)).toMatchObject({ repairs: [] })
    expect(mend(file)?.bytes).toBeUndefined()
  })

  it.each<[string, string, (lines: LineValue[]) => LineValue[] | void]>([
    [
      'a call without a result, in the middle',
      'results',
      (lines) => lines.filter((line) => !holds('tool_result', 'toolu_1')(line)),
    ],
    [
      'one of two calls without a result',
      'results',
      (lines) => lines.filter((line) => !holds('tool_result', 'toolu_3')(line)),
    ],
    ['an empty text of an answer', 'empty-text', (lines) => void (blockOf(lines, 'text')['text'] = '')],
    ['an empty message of a person', 'empty-text', (lines) => void (said(lines, 'Again please.').content = '')],
    [
      'thinking without its signature',
      'signed-thinking',
      (lines) => void delete blockOf(lines, 'thinking')['signature'],
    ],
    [
      'an id of another provider',
      'call-ids',
      (lines) => {
        blockOf(lines, 'tool_use', 'toolu_1')['id'] = 'call:1'
        blockOf(lines, 'tool_result', 'toolu_1')['tool_use_id'] = 'call:1'
      },
    ],
    ['an input that is no object', 'call-inputs', (lines) => void (blockOf(lines, 'tool_use')['input'] = 'ls')],
    ['a field that the API does not know', 'extra-fields', (lines) => void (blockOf(lines, 'text')['parsed'] = {})],
    ['half a surrogate pair', 'unicode', (lines) => void (blockOf(lines, 'tool_result')['content'] = 'x \ud83d')],
    [
      'two answers after one another',
      'merged-answers',
      (lines) => lines.filter(({ message }) => message?.content !== 'Again please.'),
    ],
    ['no beginning', 'first-user', (lines) => lines.filter(({ message }) => message?.content !== 'Do the steps.')],
    [
      'an answer that is there twice',
      'unique-calls',
      (lines) => {
        const at = lines.findIndex(holds('tool_result', 'toolu_1'))
        const again = lines.filter(holds('tool_use', 'toolu_1')).map((line) => ({
          ...line,
          uuid: 'again',
          parentUuid: lines[at]?.['uuid'],
          message: { ...line.message, id: 'msg_again' },
        }))
        for (const line of lines) if (line['parentUuid'] === lines[at]?.['uuid']) line['parentUuid'] = 'again'
        return lines.toSpliced(at + 1, 0, ...(again as LineValue[]))
      },
    ],
    [
      'results whose calls were never written, beside one another',
      'results',
      (lines) => {
        const isCall = (line: LineValue) => ['toolu_2', 'toolu_3'].some((id) => holds('tool_use', id)(line))
        const last = lines.findLast(holds('text', 'Step two.'))
        for (const call of lines.filter(isCall))
          for (const line of lines) if (line['parentUuid'] === call['uuid']) line['parentUuid'] = last?.['uuid']
        return lines.filter((line) => !isCall(line))
      },
    ],
    ['an end inside a call', 'results', (lines) => lines.slice(0, lines.findLastIndex(holds('tool_use')) + 1)],
  ])('with %s is refused, and taken once it is repaired', (_what, rule, change) => {
    const file = broken(change)
    expect(checkRequest(requestOf(file))).toBeDefined()
    const mended = mend(file)
    expect(mended?.repairs.map((one) => one.rule)).toContain(rule)
    const bytes = mended?.bytes as Buffer
    expect(checkRequest(requestOf(bytes))).toBeUndefined()
    expect(mend(bytes)?.repairs).toEqual([])
    expectOneWay(bytes)
  })

  describe('with a result beside the way, of a call that is gone', () => {
    const withNext = (id: string): Buffer => {
      const lines = linesFor([
        user('Hi.'),
        assistant(text('One.')),
        user([result('toolu_gone')]),
        assistant(text('Two.')),
      ])
      const [first, next] = lines.filter(({ message }) => message?.role === 'assistant')
      Object.assign(next ?? {}, { parentUuid: first?.['uuid'], message: { ...next?.message, id } })
      return fileOf(lines)
    }

    it('has its words before the next answer', () => {
      const bytes = mend(withNext('msg_next'))?.bytes as Buffer
      const { before = [], repairs } = mend(bytes) ?? {}
      expect(repairs).toEqual([])
      expect(before[2]?.content).toMatchObject([{ type: 'text', text: expect.stringContaining('toolu_gone done') }])
      expect(checkRequest(requestOf(bytes))).toBeUndefined()
      expectOneWay(bytes)
    })

    it.each([
      ['nothing that follows could lead over it', withNext('msg_1')],
      ['a path over it would leave out its answer', behindItsAnswer()],
    ])('is left as it is, and said to be so, where %s', (_where, file) => {
      const mended = mend(file)
      expect(mended?.bytes).toBeUndefined()
      expect(mended).toMatchObject({ repairs: [], unrepairable: expect.stringContaining('cannot hold all') })
    })

    /** The result is written first, and the next answer hangs on a line that is gone. */
    function behindItsAnswer(): Buffer {
      const lines = valuesIn(withNext('msg_next'))
      const [place, next] = [lines.findIndex(holds('tool_result')), lines.findLast(holds('text'))]
      Object.assign(next ?? {}, { parentUuid: 'gone' })
      return fileOf([...lines.slice(0, 3), lines[place] as LineValue, ...lines.slice(3).toSpliced(place - 3, 1)])
    }
  })

  it('keeps every line that is no part of the conversation, byte for byte: a cut one, one in another encoding', () => {
    const lines = broken((all) => void (blockOf(all, 'text')['text'] = ''))
      .toString()
      .split('\n')
    const odd = ['{"type":"user", "message": {"role":"user","content":5}, "uuid":"odd"}', '{"half', '', '{ "n": 1.0 }']
    const file = Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from([...odd, ...lines].join('\n'))])
    const bytes = mend(file)?.bytes as Buffer
    expect(bytes.subarray(0, 3)).toEqual(file.subarray(0, 3))
    const now = bytes.subarray(3).toString().split('\n')
    expect(now.slice(0, 4)).toEqual(odd)
    const changed = now.slice(4).filter((line, at) => line !== lines[at])
    expect(now).toHaveLength(lines.length + 4)
    // The empty text, and all thinking, which was signed against it.
    expect(changed).toHaveLength(1 + 5)
  })

  it('without a line break at its end goes on in a line of its own', () => {
    const file = broken((all) => all.slice(0, all.findLastIndex(holds('tool_use')) + 1))
    const cut = Buffer.concat([file, Buffer.from('{"type":"user","mess')])
    const bytes = mend(cut)?.bytes as Buffer
    expect(bytes.toString()).toContain('{"type":"user","mess\n{"parentUuid"')
    expect(checkRequest(requestOf(bytes))).toBeUndefined()
  })

  it('has branches that were left and sub-agents, which are not looked at', () => {
    const lines = linesFor(twoTurns)
    const at = lines.findIndex(({ message }) => message?.content === 'Again please.')
    const aside = (value: object) => ({ ...lines[at], ...value }) as LineValue
    const left = aside({ uuid: 'left', message: { role: 'user', content: '' } })
    const agent = aside({
      uuid: 'agent',
      parentUuid: 'left',
      isSidechain: true,
      message: { role: 'user', content: '' },
    })
    const error = aside({
      uuid: 'e',
      type: 'assistant',
      isApiErrorMessage: true,
      message: { role: 'assistant', content: [] },
    })
    expect(mend(fileOf(lines.toSpliced(at, 0, left, agent, error)))?.repairs).toEqual([])
  })

  it('goes on after a compaction with what that kept', () => {
    const lines = linesFor(twoTurns)
    const from = lines.findIndex(holds('tool_use', 'toolu_4'))
    const [head, tail] = [lines[from]?.['uuid'], lines.find(holds('tool_result', 'toolu_4'))?.['uuid']]
    const kept = { headUuid: head, anchorUuid: 'summary', tailUuid: tail }
    const ends = (more: object): LineValue[] => [
      ...lines.slice(0, -1),
      {
        type: 'system',
        subtype: 'compact_boundary',
        uuid: 'boundary',
        parentUuid: null,
        isSidechain: false,
        compactMetadata: more,
      },
      {
        ...lines[2],
        type: 'user',
        uuid: 'summary',
        parentUuid: 'boundary',
        isCompactSummary: true,
        message: { role: 'user', content: 'So far…' },
      },
      {
        ...lines[2],
        type: 'user',
        uuid: 'more',
        parentUuid: 'summary',
        message: { role: 'user', content: 'And now?' },
      },
    ]
    for (const metadata of [
      { preservedSegment: kept },
      { preservedMessages: { anchorUuid: 'summary', uuids: [head, tail] } },
    ]) {
      const looked = mend(fileOf(ends(metadata)))
      // The summary, the answer with its call (of whose lines one was named), the result and what was said next.
      expect(looked?.before.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
      expect(looked?.repairs).toEqual([])
    }
    expect(mend(fileOf(ends({})))?.before).toHaveLength(1)
  })

  it('is no file of another kind', () => {
    for (const other of ['', '{}', '[]', 'hello', '{"type":"user"}\n', '{"kind":"lastgood-export","v":1}\n']) {
      expect(mend(Buffer.from(other))).toBeUndefined()
    }
  })
})

/** From the last line up every message is met, and each stands behind its parent. */
function expectOneWay(file: Buffer): void {
  const placed = valuesIn(file).filter(({ uuid }) => uuid !== undefined)
  const seen = new Set<unknown>()
  for (const { uuid, parentUuid } of placed) {
    if (parentUuid !== null && placed.some((one) => one['uuid'] === parentUuid)) expect(seen).toContain(parentUuid)
    expect(seen).not.toContain(uuid)
    seen.add(uuid)
  }
}

function said(lines: LineValue[], content: string): { content: unknown } {
  return lines.find(({ message }) => message?.content === content)?.message as { content: unknown }
}

it('an end inside a call of a person who goes on is answered before that', () => {
  const lines = linesFor([...twoTurns.slice(0, 2), user('Stop. Do this.'), assistant(thinking, text('Yes.'))])
  const bytes = mend(fileOf(lines))?.bytes as Buffer
  expect(checkRequest(requestOf(bytes))).toBeUndefined()
  expect(sentOf(bytes)[2]?.content).toMatchObject([{ type: 'tool_result', is_error: true }, { text: 'Stop. Do this.' }])
})

it('a line keeps what was said in it, though messages are put beside it', () => {
  const lines = linesFor([
    ...twoTurns.slice(0, 2),
    assistant(thinking, call('toolu_2')),
    user('Stop. Do this.'),
    assistant(thinking, text('Yes.')),
  ])
  const bytes = mend(fileOf(lines))?.bytes as Buffer
  expect(checkRequest(requestOf(bytes))).toBeUndefined()
  const before = lines.find(({ message }) => message?.content === 'Stop. Do this.')
  const after = valuesIn(bytes).find(({ uuid }) => uuid === before?.['uuid'])
  expect(after).toMatchObject({
    type: 'user',
    message: { content: [{ type: 'tool_result' }, { text: 'Stop. Do this.' }] },
  })
  expect(bytes.toString()).not.toContain('left out a message')
})

it('results of an answer that is there twice are kept when the one that they hang on is left out', () => {
  const answer = assistant(call('toolu_1'), call('toolu_2'))
  const results = [result('toolu_1'), result('toolu_2')]
  const bytes = mend(fileOf(linesFor([user('Do both.'), answer, answer, user(results)])))?.bytes as Buffer
  expect(mend(bytes)).toMatchObject({ repairs: [], before: [user('Do both.'), answer, user(results)] })
  expect(checkRequest(requestOf(bytes))).toBeUndefined()
})
