/** A conversation that goes down the ladder and up again: each model accepts whatever was said on the way. */
import type { Message } from '@lastgood/core'
import {
  MODELS,
  redactedThinking,
  reply,
  text,
  thinking,
  toolUse,
  type ModelCard as LabModel,
  type Reply,
} from '@lastgood/outage-lab'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cardOf } from '../packages/core/src/ladder/built-in-cards.ts'
import { modelCardFrom } from '../packages/core/src/ladder/models-api.ts'
import { translate } from '../packages/core/src/ladder/translate.ts'
import type { Outgoing } from '../packages/core/src/repair/outgoing.ts'
import { openModelLab, resultsFor, startConversation, type ModelLab } from './support/model-lab.ts'

const newestVersion = '2026-10-21'
const bindingBeta = 'thinking-binding-controls-2026-08-01'
const question = { role: 'user', content: 'And now?' }
const systemNote = { role: 'system', content: 'It is night now.' }
const begun = { role: 'assistant', content: 'So far' }

const modelArb = fc.constantFrom(...MODELS)

/** What a request to this model may say, so that it takes it. */
function requestArb({ id, maxTokens, habits }: LabModel, version: string): fc.Arbitrary<Outgoing> {
  const choices = habits.forcedToolChoice ? ['auto', 'any'] : ['auto']
  return fc
    .record({
      max_tokens: fc.constantFrom(1_000, 1_024, 1_025, 5_000, maxTokens),
      thinkingType: fc.constantFrom(undefined, ...habits.thinking),
      effort: fc.constantFrom(undefined, ...cardOf(id).efforts),
      temperature: fc.constantFrom(undefined, ...(habits.sampling && version !== newestVersion ? [0.3] : [])),
      choice: fc.constantFrom(undefined, ...choices),
      isFast: fc.boolean(),
      binds: fc.boolean(),
    })
    .map(({ max_tokens, thinkingType, effort, temperature, choice, isFast, binds }) => {
      const binding = binds && { block_binding: { prefix_mismatch_behavior: 'drop_block' } }
      const isTaken = thinkingType !== undefined && (thinkingType !== 'enabled' || max_tokens > 1_024)
      return {
        params: {
          model: id,
          max_tokens,
          tools: [{ name: 'read', description: 'Reads a file', input_schema: { type: 'object' } }],
          ...(isTaken && {
            thinking: {
              type: thinkingType,
              ...(thinkingType === 'enabled' && { budget_tokens: 1_024 }),
              ...(thinkingType === 'adaptive' && binding),
            },
          }),
          ...(effort !== undefined && { output_config: { effort } }),
          ...(temperature !== undefined && { temperature }),
          ...(choice !== undefined && { tool_choice: { type: choice } }),
          ...(isFast && { speed: 'fast' }),
        },
        messages: [question],
        betas: [...(binds ? [bindingBeta] : []), ...(isFast ? ['fast-mode-2026-02-01'] : [])],
      }
    })
}

const answerArb = fc.record({
  isHome: fc.boolean(),
  thoughts: fc.nat(2),
  isRedacted: fc.boolean(),
  speaks: fc.boolean(),
  calls: fc.nat(2),
  /** What the caller adds to the results or to the question. */
  addsNote: fc.boolean(),
})
type Answer = typeof answerArb extends fc.Arbitrary<infer T> ? T : never

/** As a model does: it thinks where that is on, and first of all where that is demanded. */
function said({ thoughts, isRedacted, speaks, calls }: Answer, { params }: Outgoing): Reply {
  const type = (params['thinking'] as { type: string } | undefined)?.type
  const isOff =
    type === undefined ? !cardOf(String(params['model'])).thinksByDefault : !['adaptive', 'enabled'].includes(type)
  const count = isOff ? 0 : Math.max(thoughts, type === 'enabled' ? 1 : 0)
  const thinks = Array.from({ length: count }, (_, at) =>
    isRedacted && at === 0 ? redactedThinking() : thinking(`thought ${at}`),
  )
  const acts = Array.from({ length: calls }, (_, at) => toolUse('read', { path: `${at}` }))
  const blocks = [...thinks, ...(speaks ? [text('Looking.')] : []), ...acts]
  return reply(blocks.length > 0 ? blocks : text('Nothing to do.'))
}

const climbArb = fc
  .tuple(modelArb, modelArb, fc.constantFrom('2023-06-01', newestVersion))
  .chain(([from, to, version]) =>
    fc.record({
      from: fc.constant(from),
      to: fc.constant(to),
      version: fc.constant(version),
      request: requestArb(from, version),
      answers: fc.array(answerArb, { maxLength: 5 }),
      isBegun: fc.boolean(),
      asksModels: fc.boolean(),
    }),
  )

async function cardFrom({ lab }: ModelLab, id: string) {
  const response = await fetch(`${lab.url}/v1/models/${id}`, { headers: { 'x-api-key': 'test' } })
  return modelCardFrom(await response.json()) ?? expect.fail(`no card for ${id}`)
}

test('each model takes what was written for the other, in every mixture of answers', { timeout: 120_000 }, async () => {
  const opened = await openModelLab()
  await fc.assert(
    fc.asyncProperty(climbArb, async ({ from, to, version, request, answers, isBegun, asksModels }) => {
      const { stored, answer, send, madeBy } = startConversation(opened, request, version)
      const [home, away] = asksModels
        ? [await cardFrom(opened, from.id), await cardFrom(opened, to.id)]
        : [cardOf(from.id), cardOf(to.id)]
      const forHome = () => translate(stored, home, home, madeBy).outgoing
      const forAway = () => translate(stored, home, away, madeBy).outgoing
      for (const each of answers) {
        const outgoing = each.isHome ? forHome() : forAway()
        expect(await answer(outgoing, said(each, outgoing))).toBeUndefined()
        const results = resultsFor(stored.messages.at(-1))
        stored.messages.push(results ?? question)
        if (each.addsNote && from.habits.systemMessages) stored.messages.push(systemNote)
      }
      expect(await send(forHome())).toBeUndefined()
      expect(await send(forAway())).toBeUndefined()
      expect(forAway()).toEqual(forAway())
      expectAsBefore(stored, forHome(), (message) => madeBy(message) !== from.id)
      if (from.habits.preservedThinking) expect(forHome()).toBe(stored)

      if (!isBegun || !from.habits.prefill || isEnabled(stored)) return
      stored.messages.push(begun)
      expect(await send(forHome())).toBeUndefined()
      expect(await send(forAway())).toBeUndefined()
    }),
    { numRuns: 100 },
  )
})

const isEnabled = ({ params }: Outgoing) => (params['thinking'] as { type: string } | undefined)?.type === 'enabled'

/** On the way back all is as it was, but for thinking of others, which not every model takes. */
function expectAsBefore(stored: Outgoing, home: Outgoing, isForeign: (message: Message) => boolean): void {
  if (!isEnabled(stored)) expect(home.params).toBe(stored.params)
  expect(home.messages).toHaveLength(stored.messages.length)
  home.messages.forEach((message, at) => {
    const own = stored.messages[at] ?? expect.fail()
    if (message !== own) expect(isForeign(own)).toBe(true)
  })
}
