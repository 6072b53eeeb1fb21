import { expect, it } from 'vitest'
import { visibleLine, visibleText } from './visible-text.ts'

it('controls, escape sequences and marks that reorder or hide text are seen', () => {
  expect(visibleText('a\u001b[31mb\u202ec\u0007\u200b\r\nd')).toBe('a␛[31mb\ufffdc␇\ufffd\nd')
  expect(visibleLine(' two\n\t lines ')).toBe('two lines')
})
