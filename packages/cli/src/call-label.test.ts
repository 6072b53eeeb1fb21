import { describe, expect, test } from 'vitest'
import { callLabel } from './call-label.ts'

describe('callLabel', () => {
  test('says the name and the first text of the input', () => {
    expect(callLabel('run', { timeout: 3, command: 'node --test' }, 40)).toBe('run node --test')
  })
  test('shows input without text as JSON, and no input as nothing', () => {
    expect(callLabel('count', { n: 1 }, 40)).toBe('count {"n":1}')
    expect(callLabel('peek', {}, 40)).toBe('peek')
    expect(callLabel('odd', undefined, 40)).toBe('odd')
  })
  test('is one short line of text, whatever the model put into it', () => {
    const label = callLabel('run', { command: `a\n\u001b[31mb${'x'.repeat(99)}` }, 12)
    expect(label).not.toContain('\n')
    expect(label).not.toContain('\u001b')
    expect(label.length).toBeLessThanOrEqual('run '.length + 12)
  })
})
