/**
 * A refused request is repaired by the words of the refusal, with the lab as referee: request, refusal, repair, answer.
 */
import { reply, startLab, text, toolUse, type Lab, type LabOptions } from '@lastgood/outage-lab'
import { describe, expect, onTestFinished, test } from 'vitest'
import { classify, type Wire } from '../packages/core/src/faults/classify.ts'
import type { Fault } from '../packages/core/src/faults/fault.ts'
import { cardOf } from '../packages/core/src/ladder/built-in-cards.ts'
import type { Outgoing, RepairContext } from '../packages/core/src/repair/outgoing.ts'
import { applyRefusalRule } from '../packages/core/src/repair/refused/refusal-rules.ts'
import { requestRules } from '../packages/core/src/repair/request/rules.ts'
import {
  assistant,
  brokenRequests,
  call,
  enabled,
  grown,
  hi,
  result,
  say,
  sound,
  strict,
  talk,
  think,
  user,
} from './support/broken-requests.ts'

const contextOf = (each: (typeof brokenRequests)[number]): RepairContext => ({
  card: cardOf(String(each.request.params['model'])),
  apiVersion: each.apiVersion ?? '2023-06-01',
  recorded: each.recorded,
})

describe.each(brokenRequests)('$claim', (each) => {
  const context = contextOf(each)

  test(`is refused, and mended by ${each.rule}`, async () => {
    const lab = await open(each.lab)
    const refused = await send(lab, each.request, context)
    expect(refused.wire.status).toBeGreaterThanOrEqual(400)
    const { outcome } = lab.requests.at(-1)!
    if (each.row !== undefined) expect(outcome).toMatchObject({ error: { row: each.row } })

    const fault = classify(refused.wire)
    const mended = mend(each.request, fault, context)
    expect(mended?.name).toBe(each.rule)
    let { outgoing } = mended!
    let answer = await send(lab, outgoing, context)
    // Halves may take some rounds.
    for (let round = 0; round < 4 && answer.wire.status === 413; round++) {
      outgoing = applyRefusalRule(each.rule, outgoing, { ...context, fault })?.outgoing ?? outgoing
      answer = await send(lab, outgoing, context)
    }
    expect(answer.wire.body).toContain('"stop_reason"')
  })
})

test.each(brokenRequests.filter(({ local }) => local))(
  'our own check mends it before it leaves: $claim',
  async (each) => {
    const context = contextOf(each)
    const lab = await open(each.lab)
    const mended = requestRules.reduce((now, rule) => rule.repair(now, context)?.outgoing ?? now, each.request)
    expect((await send(lab, mended, context)).wire.status).toBe(200)
  },
)

test.each([sound, grown, talk(hi, enabled), talk(hi, { model: 'claude-opus-4-6', temperature: 0.3 })])(
  'what the API takes is not touched (%#)',
  async (request) => {
    const context = { card: cardOf(String(request.params['model'])), apiVersion: '2023-06-01' }
    expect((await send(await open(), request, context)).wire.status).toBe(200)
    for (const rule of requestRules) expect(rule.repair(request, context)).toBeUndefined()
  },
)

test('a request that is poisoned by its container goes through without it', async () => {
  const there = await open()
  const first = await send(there, talk(hi, { container: {} }), { card: cardOf(strict) })
  const { container } = JSON.parse(first.wire.body ?? '') as { container: { id: string } }
  const lab = await open({ containers: 'expired-500' })
  const request = talk(hi, { container: container.id })
  const refused = await send(lab, request, { card: cardOf(strict) })
  const elsewhere = { failures: 5, failingForMs: 300_000, othersSucceed: true, othersDenied: 0, workedBefore: true }
  const fault = classify({ ...refused.wire, elsewhere })
  expect(fault.kind).toBe('poisoned')
  const mended = mend(request, fault, { card: cardOf(strict) })
  expect(mended?.name).toBe('drop-container')
  expect((await send(lab, mended!.outgoing, { card: cardOf(strict) })).wire.status).toBe(200)
})

test('the other rules against poison give requests that the API takes', async () => {
  const request = talk([user(say('hi')), assistant(think(), call()), user(result('x'.repeat(900)))], {}, [
    'new-2026-01-01',
  ])
  const lab = await open()
  for (const rule of ['drop-newest-beta', 'drop-block', 'placeholder-last-results']) {
    const mended = applyRefusalRule(rule, request, { card: cardOf(strict) })
    expect((await send(lab, mended!.outgoing, { card: cardOf(strict) })).wire.status).toBe(200)
  }
})

test('a call that max_tokens cut is whole with more room, and a nudge is taken', async () => {
  const lab = await open({ model: () => reply(toolUse('read', { path: 'p'.repeat(400) })) })
  const context = { card: cardOf(strict) }
  const cut = talk(hi, { max_tokens: 60 })
  expect((await send(lab, cut, context)).wire.body).toContain('"stop_reason":"max_tokens"')
  const fault = classify({ phase: 'body', status: 200, answer: 'output-cut', now: 0 })
  const raised = mend(cut, fault, context)
  expect((await send(lab, raised!.outgoing, context)).wire.body).toContain('"stop_reason":"tool_use"')

  const silent = classify({ phase: 'body', status: 200, answer: 'empty', now: 0 })
  expect((await send(lab, mend(sound, silent, context)!.outgoing, context)).wire.status).toBe(200)
})

/** The first repair that the fault names and that applies. */
function mend(
  request: Outgoing,
  fault: Fault,
  context: RepairContext,
): { name: string; outgoing: Outgoing } | undefined {
  for (const name of fault.repairs ?? []) {
    const repaired = applyRefusalRule(name, request, { ...context, fault })
    if (repaired) return { name, outgoing: repaired.outgoing }
  }
  return undefined
}

async function open(options: Partial<LabOptions> = {}): Promise<Lab> {
  const lab = await startLab({ model: () => reply(text('Done.')), ...options })
  onTestFinished(() => lab.close())
  return lab
}

async function send(
  lab: Lab,
  { params, messages, betas }: Outgoing,
  { apiVersion = '2023-06-01' }: RepairContext,
): Promise<{ wire: Wire }> {
  const headers = {
    'content-type': 'application/json',
    'x-api-key': 'test',
    'anthropic-version': apiVersion,
    ...(betas.length > 0 && { 'anthropic-beta': betas.join(',') }),
  }
  const body = JSON.stringify({ ...params, messages })
  const response = await fetch(`${lab.url}/v1/messages`, { method: 'POST', headers, body })
  const wire: Wire = {
    phase: 'status',
    status: response.status,
    headers: response.headers,
    body: await response.text(),
    now: 0,
  }
  return { wire }
}
