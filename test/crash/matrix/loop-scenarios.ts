/** Programs with their own loop, at level 1: one that rewinds, and one whose effects are steps. */
import type Anthropic from '@anthropic-ai/sdk'
import { recoverable } from '@lastgood/anthropic'
import { isLastgoodError, type InDoubt, type Session, type StepContext, type ToolContext } from '@lastgood/core'
import { all, companion, opus, refused, status } from './counting.ts'
import type { Referee } from './referee.ts'
import type { Life, Scenario } from './world.ts'

const image = {
  type: 'image' as const,
  source: { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB' },
}
const countTool = {
  name: 'count',
  description: 'Counts.',
  input_schema: { type: 'object' as const, properties: { n: { type: 'string' } } },
}
const peekTool = { name: 'peek', description: 'Looks.', input_schema: { type: 'object' as const } }

/** The usual loop: until the model makes no more calls. */
async function ownLoop({ referee }: Life, client: Anthropic, messages: Anthropic.MessageParam[]): Promise<string> {
  const runs: Record<string, (input: unknown, context: Pick<ToolContext, 'toolUseId' | 'idempotencyKey'>) => string> = {
    count: (input, context) => {
      const { n } = input as { n: string }
      referee.effect(n, 'report', context)
      return `counted ${n}`
    },
    peek: () => referee.done.join(),
  }
  for (;;) {
    const system = messages.length > 4 ? 'Count on.' : 'Count.'
    const tools = [countTool, peekTool]
    const answer = await client.messages.create({ model: opus, max_tokens: 900, system, tools, messages })
    messages.push({ role: 'assistant', content: answer.content })
    const calls = answer.content.filter((block) => block.type === 'tool_use')
    if (calls.length === 0) return answer.content.flatMap((block) => (block.type === 'text' ? block.text : [])).join('')
    const results = calls.map(({ id, name, input }) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: runs[name]?.(input, { toolUseId: id, idempotencyKey: `ses:${id}` }) ?? 'no such tool',
    }))
    messages.push({ role: 'user', content: results })
  }
}

export const loopOfOnesOwn: Scenario = {
  name: 'a loop of its own, an image that is refused and put back, and a turn that is taken back',
  model: companion,
  outages: [refused(1, 'Could not process image'), status(4, 500)],
  async live(life) {
    const session = await life.open()
    const client = recoverable(life.client, session, { intentOf: (name) => (name === 'peek' ? 'rerun' : 'report') })
    const messages = () => session.messages() as Anthropic.MessageParam[]
    const isSaid = (words: string) => JSON.stringify(messages()).includes(words)
    const say = (words: string, before = messages()) =>
      ownLoop(life, client, [...before, { role: 'user', content: [{ type: 'text', text: words }] }])

    let last = session.hasOpenTurn ? await ownLoop(life, client, messages()) : ''
    if (session.turn === 0) {
      const content = [{ type: 'text' as const, text: 'Count to four, as here' }, image]
      last = await ownLoop(life, client, [{ role: 'user', content }])
    }
    if (session.turn === 1 && session.transcript.edits.length > 0) await session.revertRepairs('the image was fine')
    if (session.turn === 1) last = await say('The wrong way')
    if (isSaid('The wrong way')) {
      const wrong = messages().findIndex(({ content }) => JSON.stringify(content).includes('The wrong way'))
      last = await say('The other way', messages().slice(0, wrong))
    }
    if (last === '') last = (messages().at(-1)!.content as { text: string }[])[0]!.text
    await session.close()
    return last
  },
  says: 'You said: The other way',
  effects: all,
}

/** A step's effect, as the referee sees it: its call is the part of the key after the session. */
const stepped =
  (referee: Referee, name: string, rule: InDoubt, result = name) =>
  ({ idempotencyKey }: StepContext) => {
    referee.effect(name, rule, { idempotencyKey, toolUseId: idempotencyKey.replace(/^ses:/, '') })
    return result
  }

/** Of an unusual size, so that its entry is kept apart. */
const large = 'large '.repeat(15_000)

async function prepare(session: Session, referee: Referee): Promise<void> {
  const isDone = (name: string) => referee.done.includes(name)
  /** Its rule is `report`, and it can tell what became of it. */
  await session.step('fetch', {}, stepped(referee, 'fetch', 'report', large), {
    key: 'fetch',
    verify: async (_input, { idempotencyKey }) => {
      if (isDone('fetch')) return { kind: 'done', result: large }
      referee.permit(idempotencyKey.replace(/^ses:/, ''))
      return { kind: 'not-done' }
    },
  })
  // This one cannot tell: the program looks for itself, and asks anew under another key.
  const build = (key: string) => session.step('build', {}, stepped(referee, 'build', 'report'), { key })
  for (let attempt = 1, settled = false; !settled; attempt += 1) {
    settled = await build(`build-${attempt}`).then(
      () => true,
      (error: unknown) => {
        if (!isLastgoodError(error, 'step-in-doubt')) throw error
        return isDone('build')
      },
    )
  }
  await session
    .step('deploy', {}, stepped(referee, 'deploy', 'ask'), {
      key: 'deploy',
      inDoubt: 'ask',
      onInDoubt: async () => {
        if (isDone('deploy')) return 'report'
        referee.permit('key:deploy')
        return 'rerun'
      },
    })
    .catch((error: unknown) => {
      if (!isLastgoodError(error, 'step-in-doubt')) throw error
    })
  await session.step('read', {}, stepped(referee, '', 'rerun'), { inDoubt: 'rerun' })
  await session
    .step('break', {}, () => Promise.reject(new Error('it is broken')), { key: 'break' })
    .catch((error: unknown) => {
      if (!isLastgoodError(error, 'step-in-doubt') && !/broken/.test(String(error))) throw error
    })
}

export const stepsOfOnesOwn: Scenario = {
  name: 'a loop whose effects are steps, some of which can tell what came of them',
  model: companion,
  outages: [],
  async live({ referee, open, client: plain }) {
    const session = await open()
    await prepare(session, referee)
    const client = recoverable(plain, session)
    const runCall = ({ toolUseId, name, input }: { toolUseId: string; name: string; input: unknown }) => {
      if (name !== 'count') return session.step(name, input, () => referee.done.join(), { toolUseId, inDoubt: 'rerun' })
      const { n } = input as { n: string }
      const count = (context: ToolContext) => (referee.effect(n, 'report', context), `counted ${n}`)
      return session.step(name, input, count, {
        toolUseId,
        verify: async () => {
          if (referee.done.includes(n)) return { kind: 'done', result: `counted ${n}` }
          referee.permit(toolUseId)
          return { kind: 'not-done' }
        },
      })
    }
    const tools = [countTool, peekTool]
    while (session.lastGoodTurn === 0) {
      await Promise.all(session.transcript.unanswered.map(runCall))
      const said = session.messages() as Anthropic.MessageParam[]
      const messages = said.length > 0 ? said : [{ role: 'user' as const, content: 'Count to four' }]
      await client.messages.create({ model: opus, max_tokens: 900, tools, messages })
    }
    const last = (session.messages() as Anthropic.MessageParam[]).at(-1)!.content as { text: string }[]
    await session.close()
    return last[0]!.text
  },
  says: 'done',
  effects: [...all, 'build', 'deploy', 'fetch'],
}
