import { expect, it } from 'vitest'
import { visibleLine, visibleText } from './visible-text.ts'

it('controls, escape sequences and marks that reorder or hide text are seen', () => {
  expect(visibleText('a\u001b[31mb\u202ec\u0007\u200b\r\nd')).toBe('a␛[31mb\ufffdc␇\ufffd\nd')
  expect(visibleLine(' two\n\t lines ')).toBe('two lines')
})

it('what letters of a script or signs of a picture are joined by is part of them', () => {
  for (const text of ['\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645', '\u0915\u094d\u200d\u0937', '👩\u200d👧']) {
    expect(visibleText(text)).toBe(text)
  }
})
