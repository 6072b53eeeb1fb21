import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { padded, safeCommand, safeJson, safeLine, safeText, shorten, widthOf } from './text.ts'

describe('content on a terminal', () => {
  it('is never obeyed: escape sequences, carriage returns and marks that reorder text are shown', () => {
    expect(safeText('\u001b[2Jgone\r\u0007\u009b31m\u202etxt.exe\u2066')).toBe('␛[2Jgone␍␇\ufffd31m\ufffdtxt.exe\ufffd')
  })

  it('keeps newlines and tabs, and is one line where one line is asked for', () => {
    expect(safeText('a\r\nb\tc')).toBe('a\nb\tc')
    expect(safeLine(' a\r\nb\t c ')).toBe('a b c')
  })

  it('has no half characters, whatever is cut off', () => {
    expect(safeText('a\ud83d')).toBe('a\ufffd')
    expect(shorten('ab👩‍👩‍👧cd', 4)).toBe('ab…')
    expect(shorten('日本語です', 5)).toBe('日本…')
  })

  it('is cut to what fits beside the ellipsis, and to no less', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 30 })
    fc.assert(
      fc.property(texts, fc.integer({ min: 2, max: 20 }), (text, columns) => {
        const line = safeLine(text)
        const segments = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(line)]
        const starts = segments.map(({ index }) => line.slice(0, index))
        const fitting = starts.findLast((start) => widthOf(start) < columns) ?? ''
        expect(shorten(text, columns)).toBe(widthOf(line) <= columns ? line : `${fitting}…`)
      }),
    )
  })

  it('is looked at only as far as it is shown: Node 20 takes a minute for all characters of 100 KB', () => {
    const segment = vi.spyOn(Intl.Segmenter.prototype, 'segment')
    onTestFinished(() => segment.mockRestore())
    expect(shorten(`Done — ${'all of it. '.repeat(10_000)}`, 12)).toBe('Done — all …')
    // Marks on marks make one character of any length.
    expect(shorten(`ab${'\u0301'.repeat(100_000)}`, 2)).toBe('a…')
    expect(Math.max(...segment.mock.calls.map(([text]) => text.length))).toBeLessThan(500)
  })

  it('is as wide as a terminal shows it', () => {
    expect(['abc', '日本', '👍', 'é'].map(widthOf)).toEqual([3, 4, 2, 1])
    expect(padded('日本', 6)).toBe('日本  ')
  })
})

it('JSON parses to the same value and holds nothing that a terminal would obey', () => {
  const value = { text: '\u001b[31m\u009b31m\u202e' }
  expect(JSON.parse(safeJson(value))).toEqual(value)
  // oxlint-disable-next-line no-control-regex
  expect(safeJson(value)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
})

it('a command is one line and keeps the spaces of its words', () => {
  expect(safeCommand("mv '/a  b' \u001b[2J\n  'c   d' ")).toBe("mv '/a  b' ␛[2J 'c   d'")
})
