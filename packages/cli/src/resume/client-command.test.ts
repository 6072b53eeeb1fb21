import { expect, it } from 'vitest'
import { clientCommand } from './client-command.ts'

it('names the command of a client that the gateway knows, and of nobody else', () => {
  expect(clientCommand('claude-code', 's')).toBe('lastgood run -- claude --resume s')
  for (const agent of [undefined, 'coder', '__proto__', 'constructor'])
    expect(clientCommand(agent, 's')).toBeUndefined()
})
