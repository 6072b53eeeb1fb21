/** A simulated repository made of a few words, and a conversation between it and the script. */
import type { Block, Conversation, Message } from '@lastgood/outage-lab'
import { migrationCommand, migrationLine, picturePath, projectFiles, prompts, testCommand } from './project.ts'
import { playDemo } from './script.ts'

const original = projectFiles(0)

const inDoubt = 'Interrupted: this tool call was started, but its outcome is unknown. It was not repeated.'

export interface Call {
  readonly name: string
  readonly input: Readonly<Record<string, string>>
}

/** What happened to a call: done and answered, or lost before or after it had its effect. */
export type Fate = 'done' | 'lost before' | 'lost after'

export class World {
  readonly files = new Map(Object.entries(original))
  readonly commits = ['feat: the project']
  readonly calls: Call[] = []

  /** The result of a call, and its effect. */
  run(call: Call): { text: string; isError?: boolean } {
    this.calls.push(call)
    const { name, input } = call
    const path = input['path'] ?? ''
    const file = this.files.get(path) ?? ''
    switch (name) {
      case 'list':
        return { text: [...this.files.keys(), picturePath].join('\n') }
      case 'look':
        return { text: '[image 640x360 left out: the API refused it]' }
      case 'read':
        return { text: file }
      case 'grep':
        return { text: 'src/address.js:6:   return `/${day(date)}/${slug(title)}`' }
      case 'edit':
        if (!file.includes(input['old'] ?? '')) return { text: 'Error: the old text occurs 0 times', isError: true }
        this.files.set(
          path,
          file.replace(input['old'] ?? '', () => input['new'] ?? ''),
        )
        return { text: `edited ${path}` }
      case 'write':
        this.files.set(path, input['content'] ?? '')
        return { text: `${file === input['content'] ? 'did not change' : 'changed'} ${path}` }
      default:
        return this.#command(input['command'] ?? '')
    }
  }

  get migrations(): number {
    return (this.files.get('migrations.log') ?? '').split('\n').filter((line) => line === migrationLine).length
  }

  #command(command: string): { text: string; isError?: boolean } {
    if (command === testCommand) {
      const fixed = ['src/slug.js', 'src/day.js'].filter((name) => this.files.get(name) !== original[name]).length
      return { text: `# tests 4\n# pass ${2 + fixed}\n# fail ${2 - fixed}`, isError: fixed < 2 }
    }
    if (command === migrationCommand) {
      const ledger = `${this.files.get('migrations.log')}${migrationLine}\n`
      this.files.set('migrations.log', ledger)
      return { text: `done: migrations.log has ${ledger.trim().split('\n').length} lines` }
    }
    if (command.includes('git log')) return { text: this.commits.join('\n') }
    if (this.commits.length > 1) return { text: 'exit code 1\nnothing to commit', isError: true }
    this.commits.unshift(/"(.*)"/.exec(command)?.[1] ?? '')
    return { text: '[main 1234567] fix\n 3 files changed, 4 insertions(+), 2 deletions(-)' }
  }
}

export function conversationOf(messages: readonly Message[]): Conversation {
  return { model: 'm', system: [], tools: [], messages, request: {} }
}

/** Plays both turns to their end. `fate` decides over the n-th call, counted from 0. */
export function playAll(world: World, fate: (n: number) => Fate = () => 'done'): Message[] {
  const messages: Message[] = []
  for (const prompt of prompts) {
    messages.push({ role: 'user', content: [{ type: 'text', text: prompt }] })
    for (;;) {
      const said = withIds(playDemo(conversationOf(messages)).blocks, messages.length)
      messages.push({ role: 'assistant', content: said })
      const calls = said.filter(({ type }) => type === 'tool_use')
      if (calls.length === 0) break
      messages.push({ role: 'user', content: calls.map((call) => resultOf(world, call, fate)) })
    }
  }
  return messages
}

function resultOf(world: World, call: Block, fate: (n: number) => Fate): Block {
  const { name, input } = call as unknown as Call
  const isSafe = ['read', 'look', 'list', 'grep'].includes(name)
  const what = isSafe ? 'done' : fate(world.calls.length)
  if (what === 'lost before') world.calls.push({ name, input })
  const { text, isError = false } = what === 'lost before' ? { text: inDoubt } : world.run({ name, input })
  const lost = what !== 'done'
  return { type: 'tool_result', tool_use_id: call['id'], content: lost ? inDoubt : text, is_error: lost || isError }
}

function withIds(blocks: readonly Block[], at: number): Block[] {
  return blocks.map((block, i) => (block.type === 'tool_use' ? { ...block, id: `call_${at}_${i}` } : block))
}
