import type { Head } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { clientCommand } from './client-command.ts'

const of = (agent: string | undefined, rungModel: string | null = null) => ({
  sessionId: 's',
  model: 'claude-opus-5-5',
  machine: { version: '2', value: 'idle', context: { rungModel } },
  ...(agent !== undefined && { agent }),
})

describe('the command of a client', () => {
  it('is that of a client that the gateway knows, and of nobody else', () => {
    expect(clientCommand(of('claude-code'), [])).toBe('lastgood run -- claude --resume s')
    expect(clientCommand(of('opencode'), [])).toBe('lastgood run -- opencode --session s')
    for (const agent of [undefined, 'coder', '__proto__', 'constructor'])
      expect(clientCommand(of(agent), [])).toBeUndefined()
  })

  it.each([
    ['claude-code', "it's red", `lastgood run --store ./state -- claude --resume s 'it'\\''s red'`],
    ['claude-code', '-v', 'lastgood run --store ./state -- claude --resume s -- -v'],
    ['opencode', 'Go on', `lastgood run --store ./state -- opencode run --session s 'Go on'`],
    ['opencode', '-v', 'lastgood run --store ./state -- opencode run --session s -- -v'],
  ])('leads to the same store, and hands the message on: %s, %j', (agent, message, command) => {
    expect(clientCommand(of(agent), ['--store ./state'], message)).toBe(command)
  })

  it('names the model that was asked for, where another one answered last: Claude Code takes that over', () => {
    const command = 'lastgood run -- claude --resume s --model claude-opus-5-5 more'
    expect(clientCommand(of('claude-code', 'claude-sonnet-5-5'), [], 'more')).toBe(command)
    expect(clientCommand(of('claude-code', 'claude-opus-5-5'), [])).toBe('lastgood run -- claude --resume s')
    const { model: _unknown, ...without } = of('claude-code', 'claude-sonnet-5-5')
    expect(clientCommand(without satisfies Partial<Head>, [])).toBe('lastgood run -- claude --resume s')
  })
})
