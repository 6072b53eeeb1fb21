/**
 * Settings that the API refused by name. Each rule reads the API's words once and gives its repair a name that carries
 * what it found: `drop-params:temperature,effort`.
 *
 * 1. Only what the API named and the request has is removed; never the model, the conversation or its tools.
 */
import { isRecord, recordsIn, without } from '../../json.ts'
import { withEffort, withoutClearing } from '../../ladder/thinking-steps.ts'
import { isLoginBeta } from '../login-beta.ts'
import type { Outgoing } from '../outgoing.ts'
import { withoutBinding } from '../request/kept-signatures.ts'
import { repairedBy, refusalRule } from './refusal-rule.ts'
import { withoutIdleClearing } from '../request/thinking-off.ts'
import { withTools } from '../request/tool-names.ts'

const betaName = /\b[a-z][a-z0-9]*(?:-[a-z0-9]+)*-\d{4}-\d{2}-\d{2}\b/g
const toolType = /\b[a-z]\w*_\d{8}\b/g
/** Without these there is no request. */
const essential = ['model', 'messages', 'max_tokens', 'system', 'tools', 'stream']

export const dropParams = refusalRule({
  name: 'drop-params',
  row: 23,
  does: 'Leaves out the parameters, betas and tools that the API named as not supported.',
  reach: 'model',
  repair(outgoing, { card, fault }, argument) {
    const named = argument === undefined ? namesIn(fault?.message ?? '', outgoing) : argument.split(',')
    const present = named.filter((name) => dropped(outgoing, name) !== outgoing)
    if (present.length === 0) return undefined
    const bare = present.reduce(dropped, outgoing)
    const left = present.includes('thinking') ? { ...bare, params: withoutIdleClearing(bare.params, card) } : bare
    return repairedBy(this, left, `left out ${present.join(', ')}`, { argument: present.join(',') })
  },
})

export const dropNewestBeta = refusalRule({
  name: 'drop-newest-beta',
  does: 'Leaves out the beta with the latest date, but not that of a login.',
  reach: 'model',
  repair(outgoing, _context, argument) {
    const dated = outgoing.betas.filter((beta) => dateOf(beta) !== '' && !isLoginBeta(beta))
    const newest = argument ?? dated.sort((one, other) => dateOf(other).localeCompare(dateOf(one)))[0]
    if (newest === undefined || !outgoing.betas.includes(newest)) return undefined
    return repairedBy(this, dropped(outgoing, newest), `left out beta ${newest}`, { argument: newest })
  },
})

/** A setting named as a condition is not refused: `temperature` may only be set to 1 when thinking is enabled. */
const condition = /\b(?:when|while|if|unless|requires)\b[^,.;]*|\bexpected tags:.*/gi
/** What follows the first sentence is advice. */
const advice = /\. .*/s
/** Settings that the API describes in words instead of naming them. */
const inWords = [
  [/\blong context beta\b/i, (beta: string) => beta.startsWith('context-1m-')],
  [/\bfast mode\b/i, (name: string) => name === 'speed' || name.startsWith('fast-mode-')],
] as const

/** The schemas of all strict tools make one grammar; without it the model still gets them. A format has to be kept. */
const aboutGrammar = /\bgrammar\b|\bcompilation\b|\btoo complex\b|\bstrict tools\b/i

function namesIn(refusal: string, { params, betas }: Outgoing): string[] {
  if (aboutGrammar.test(refusal)) return ['strict']
  const found = new Set<string>()
  const message = refusal.replaceAll(condition, '').replace(advice, '')
  for (const [beta] of message.matchAll(betaName)) found.add(beta)
  for (const [type] of message.matchAll(toolType)) found.add(type)
  if (/\beffort\b/.test(message)) found.add('effort')
  for (const [words, isMeant] of inWords) {
    if (words.test(message)) for (const name of [...betas, ...Object.keys(params)]) if (isMeant(name)) found.add(name)
  }
  // `output_config` may also hold a format, which is not refused; the beta `interleaved-thinking-…` is not thinking.
  const settings = message.replaceAll('output_config.effort', 'effort').replaceAll(betaName, '')
  for (const [name] of settings.matchAll(/\b[a-z][a-z_]+\b/g)) if (name in params) found.add(name)
  return [...found]
}

/** The request without what `name` names; the same object when it has no such thing. */
function dropped(outgoing: Outgoing, name: string): Outgoing {
  const { params, betas } = outgoing
  if (betas.includes(name)) {
    const left = { ...outgoing, betas: betas.filter((beta) => beta !== name) }
    const plain = name.startsWith('thinking-binding-controls-') ? withoutBinding(params) : params
    return { ...left, params: name.startsWith('message-threads-') ? without(plain, ['thread']) : plain }
  }
  const config = params['output_config']
  if (name === 'effort' && isRecord(config) && 'effort' in config) {
    return { ...outgoing, params: withEffort(params, undefined) }
  }
  if (name.startsWith('clear_thinking_')) {
    const left = withoutClearing(params)
    return left === params ? outgoing : { ...outgoing, params: left }
  }
  const tools = recordsIn(params['tools'])
  if (name === 'strict' && tools.some(({ strict }) => strict === true)) {
    return { ...outgoing, params: { ...params, tools: tools.map((tool) => without(tool, ['strict'])) } }
  }
  if (tools.some(({ type }) => type === name)) {
    const kept = tools.filter(({ type }) => type !== name)
    return { ...outgoing, params: withTools(params, kept) }
  }
  if (!(name in params) || essential.includes(name)) return outgoing
  return { ...outgoing, params: without(params, [name]) }
}

function dateOf(beta: string): string {
  return /\d{4}-\d{2}-\d{2}$/.exec(beta)?.[0] ?? ''
}
