import type { Message } from '@lastgood/outage-lab'
import { describe, expect, test } from 'vitest'
import { commitSubject, migrationCommand } from './project.ts'
import { playDemo } from './script.ts'
import { World, conversationOf, playAll, type Fate } from './world.fixture.ts'

const whole = playAll(new World())
const reportCalls = (world: World) =>
  world.calls.map(({ name }, n) => ({ name, n })).filter(({ name }) => ['edit', 'write', 'run'].includes(name))

describe('the script', () => {
  test('repairs, migrates once and commits once', () => {
    const world = new World()
    playAll(world)
    expect({ migrations: world.migrations, commits: world.commits }).toEqual({
      migrations: 1,
      commits: [commitSubject, 'feat: the project'],
    })
  })

  test('is a function of the transcript: every half-done conversation goes on as the whole one did', () => {
    for (const [at, message] of whole.entries()) {
      if (message.role !== 'assistant') continue
      const said = playDemo(conversationOf(structuredClone(whole.slice(0, at)))).blocks
      expect(message.content.map(({ id: _id, ...rest }) => rest)).toEqual(said.map(({ id: _id, ...rest }) => rest))
    }
  })

  test('reads the other file alone when an answer was cut after its first call', () => {
    const at = whole.findIndex(({ content }) => content.filter(({ type }) => type === 'tool_use').length === 2)
    const [cut, result] = [whole[at], whole[at + 1]] as [Message, Message]
    const messages = [
      ...whole.slice(0, at),
      { ...cut, content: cut.content.slice(0, -1) },
      { ...result, content: result.content.slice(0, 1) },
    ]
    const { blocks } = playDemo(conversationOf(messages))
    expect(blocks.flatMap(({ name, input }) => (name === undefined ? [] : [input]))).toEqual([{ path: 'src/day.js' }])
  })

  const interrupted = reportCalls(worldAfter(() => 'done')).flatMap(({ n, name }) =>
    (['lost before', 'lost after'] as const).map((fate) => ({ n, name, fate })),
  )
  test.each(interrupted)('copes with call $n ($name) of unknown outcome: $fate its effect', ({ n, fate }) => {
    const world = worldAfter((at) => (at === n ? fate : 'done'))
    expect({ migrations: world.migrations, commits: world.commits.length }).toEqual({ migrations: 1, commits: 2 })
    // Whatever is not harmless is repeated only where its effect was not there.
    const migrations = world.calls.filter(({ input }) => input['command'] === migrationCommand).length
    const wasMigration = world.calls[n]?.input['command'] === migrationCommand
    expect(migrations).toBe(wasMigration && fate === 'lost before' ? 2 : 1)
  })

  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'copes with interruptions again and again (seed %i)',
    (seed) => {
      let state = seed + 1
      const fates: Fate[] = ['done', 'done', 'lost before', 'lost after']
      const world = worldAfter(() => fates[((state = (state * 48_271) % 2_147_483_647) >> 8) % 4] ?? 'done')
      expect({ migrations: world.migrations, commits: world.commits.length }).toEqual({ migrations: 1, commits: 2 })
    },
  )

  test('says what it knows to words that it does not know', () => {
    const { blocks } = playDemo(conversationOf([{ role: 'user', content: [{ type: 'text', text: 'Hello?' }] }]))
    expect(blocks[0]?.['text']).toContain('I play a script')
  })
})

describe('the script refuses', () => {
  const results = whole.flatMap(({ role, content }, at) =>
    role === 'user' && content[0]?.type === 'tool_result' ? [at] : [],
  )

  test.each(results)('a transcript without the results in message %i', (at) => {
    expect(() => playDemo(conversationOf([...whole.slice(0, at), ...whole.slice(at + 1, at + 2)]))).toThrow('story:')
  })

  test.each(results)('a transcript with the call before message %i and its results twice', (at) => {
    const twice = [...whole.slice(0, at + 1), ...whole.slice(at - 1, at + 1)]
    expect(() => playDemo(conversationOf(twice))).toThrow('story:')
  })

  test('a migration that was applied twice, seen in its output', () => {
    const world = new World()
    world.run({ name: 'run', input: { command: migrationCommand } })
    expect(() => playAll(world)).toThrow('should return /done: migrations\\.log has 2 lines/')
  })

  test('a migration that was applied twice, seen in its log', () => {
    const world = new World()
    const twice = (n: number): Fate => {
      if (n !== migrationAt) return 'done'
      world.run({ name: 'run', input: { command: migrationCommand } })
      return 'lost after'
    }
    const migrationAt = worldAfter(() => 'done').calls.findIndex(({ input }) => input['command'] === migrationCommand)
    expect(() => playAll(world, twice)).toThrow('the migration ran 2 times')
  })

  test('an edit that was lost: the tests still fail', () => {
    const world = new World()
    const edit = worldAfter(() => 'done').calls.findIndex(({ name }) => name === 'edit')
    const original = world.run.bind(world)
    world.run = (call) =>
      call.name === 'edit' && world.calls.push(call) > edit ? { text: 'edited src/slug.js' } : original(call)
    expect(() => playAll(world)).toThrow('pass 4')
  })

  test('words that it did not say', () => {
    const other = structuredClone(whole.slice(0, 3)) as unknown as { content: { text?: string }[] }[]
    const block = other[1]?.content[0]
    if (block) block.text = 'I say something else.'
    expect(() => playDemo(conversationOf(other as unknown as Message[]))).toThrow('is not what was said')
  })
})

function worldAfter(fate: (n: number) => Fate): World {
  const world = new World()
  playAll(world, fate)
  return world
}
