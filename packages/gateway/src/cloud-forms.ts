/**
 * The forms that clouds give to the Messages API: the path has the model and says whether the answer streams, the body
 * has the version instead, and Amazon's streams are in frames.
 * https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai,
 * https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock
 *
 * 1. Within the gateway such a request is a Messages request like any other, at `/v1/messages` in the place of its path's end.
 * 2. What recovery does not change leaves as it came, byte for byte.
 */
import { betasOf, textOfBody, type WireRequest } from '@lastgood/core'
import { eventsOfFrames, framesOfEvents } from './event-frames.ts'

export interface CloudForm {
  /** What precedes the model in a path, then the rest of it with the model and the verb. */
  readonly path: RegExp
  readonly verbs: { readonly whole: string; readonly streaming: string }
  end(model: string, verb: string): string
  /** Whether the body says, too, that the answer streams. */
  readonly hasStream: boolean
  /** Whether a streamed answer comes, and is given, in frames. */
  readonly frames: boolean
  /** Whether the betas that count are those of the body, beside the same in the headers. */
  readonly hasBetas: boolean
}

const vertex: CloudForm = {
  path: /^(.*\/publishers\/anthropic)(\/models\/([^/:]+):(streamRawPredict|rawPredict))$/,
  verbs: { whole: 'rawPredict', streaming: 'streamRawPredict' },
  // As in the SDK's client: dated models are `<name>@<date>`.
  end: (model, verb) => `/models/${encodeURIComponent(model).replaceAll('%40', '@')}:${verb}`,
  hasStream: true,
  frames: false,
  hasBetas: false,
}

const bedrock: CloudForm = {
  path: /^(.*\/model)(\/([^/]+)\/(invoke-with-response-stream|invoke))$/,
  verbs: { whole: 'invoke', streaming: 'invoke-with-response-stream' },
  end: (model, verb) => `/${encodeURIComponent(model)}/${verb}`,
  hasStream: false,
  frames: true,
  hasBetas: true,
}

const messagesPath = '/v1/messages'

/** The number of tokens is asked of a model of its own. */
const counter = 'count-tokens'

/** A request that may have come in the form of a cloud, and then leaves in it. */
export interface MaybeInForm extends WireRequest {
  readonly form?: CloudForm
  /** The betas in its headers, as it came. */
  readonly betas?: readonly string[]
}

/** What a request in a cloud's form stands for. */
export interface InForm {
  readonly form: CloudForm
  /** That of the Messages request. */
  readonly url: string
  /** The body with what the path says; undefined for one that is no JSON object with fields. */
  bodyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined
  /** The answer as the client reads it. */
  answer(response: Response): Response
}

/** The ends of the paths as they came, and the bodies, by what was made of those. */
const asTheyCame = new WeakMap<object, { readonly end: string; readonly body: Uint8Array }>()

/** Undefined for a request that is not in a cloud's form, or does not ask a model for an answer. */
export function fromCloud(url: string, method: string): InForm | undefined {
  const { origin, pathname, search } = new URL(url)
  for (const form of [vertex, bedrock]) {
    const [, before, end, model, verb] = form.path.exec(pathname) ?? []
    if (before === undefined || end === undefined || model === undefined) continue
    if (method !== 'POST' || model === counter) return undefined
    const streams = verb === form.verbs.streaming
    return {
      form,
      url: `${origin}${before}${messagesPath}${search}`,
      bodyOf(bytes) {
        const head = `{"model":${JSON.stringify(unescaped(model))},${streams ? '"stream":true,' : ''}`
        const body = withHead(head, bytes)
        if (body) asTheyCame.set(body, { end, body: bytes })
        return body
      },
      answer: (response) => (form.frames ? framesOfEvents(response) : response),
    }
  }
  return undefined
}

/** How a request leaves, and how its answer is read. */
export function toCloud(asked: MaybeInForm): { request: WireRequest; read(response: Response): Response } {
  const { form, betas = [], ...request } = asked
  const { origin, pathname, search } = new URL(request.url)
  const leftOut = betas.filter((beta) => !betasOf(request.headers).includes(beta))
  const left = form && pathname.endsWith(messagesPath) ? writtenIn(form, request.body, leftOut) : undefined
  if (!form || !left) return { request, read: (response) => response }
  const url = `${origin}${pathname.slice(0, -messagesPath.length)}${left.end}${search}`
  return {
    request: { ...request, url, body: left.body },
    read: (response) => (form.frames ? eventsOfFrames(response) : response),
  }
}

/** `leftOut`: betas that a repair has left out of the headers. */
function writtenIn(
  form: CloudForm,
  sent: unknown,
  leftOut: readonly string[],
): { end: string; body: string | Uint8Array } | undefined {
  const isChanged = form.hasBetas && leftOut.length > 0
  const came = sent instanceof Uint8Array ? asTheyCame.get(sent) : undefined
  if (came && !isChanged) return came
  const text = textOfBody(sent)
  if (text === undefined) return undefined
  const { model, ...rest } = JSON.parse(text) as { model: string; stream?: boolean; anthropic_beta?: unknown }
  const { stream, ...others } = rest
  const end = form.end(model, stream === true ? form.verbs.streaming : form.verbs.whole)
  if (isChanged && Array.isArray(rest.anthropic_beta)) {
    const anthropic_beta = rest.anthropic_beta.filter((beta) => !leftOut.includes(String(beta)))
    return { end, body: JSON.stringify({ ...others, anthropic_beta }) }
  }
  // In the words in which it is written there: the model comes first, and what says that it streams last.
  const [head, tail] = [`{"model":${JSON.stringify(model)},`, form.hasStream ? '}' : ',"stream":true}']
  const isUsual = text.startsWith(head) && (form.hasStream || stream === undefined || text.endsWith(tail))
  if (!isUsual) return { end, body: JSON.stringify(form.hasStream ? rest : others) }
  const inner = text.slice(head.length, text.endsWith(tail) ? -tail.length : -1)
  return { end, body: `{${inner}}` }
}

/** Where Google serves the location that a path names, as in the SDK's client; undefined for any other path. */
export function googleHostOf(pathname: string): string | undefined {
  const [, location] = /\/projects\/[^/]+\/locations\/([\w-]+)\/publishers\/anthropic\//.exec(pathname) ?? []
  if (location === undefined) return undefined
  if (location === 'global') return 'https://aiplatform.googleapis.com'
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`
  return `https://${location}-aiplatform.googleapis.com`
}

/**
 * Where Amazon answers what Claude Code asks about models before it asks one, for an upstream that serves models.
 * https://docs.aws.amazon.com/general/latest/gr/bedrock.html
 */
export function amazonHostOf(upstream: string, pathname: string): string | undefined {
  const isAbout = /^\/(?:inference-profiles|foundation-models)(?:\/|$)/.test(pathname)
  const [, rest] = /^https:\/\/bedrock-runtime((?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)$/.exec(upstream) ?? []
  return isAbout && rest !== undefined ? `https://bedrock${rest}` : undefined
}

const [brace, quote] = [0x7b, 0x22]

/** `head` in the place of the brace that the object begins with. */
function withHead(head: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const begin = bytes.findIndex((byte) => byte > 0x20)
  const next = bytes.findIndex((byte, at) => at > begin && byte > 0x20)
  const isObject = bytes[begin] === brace && bytes[next] === quote
  return isObject ? Buffer.concat([Buffer.from(head), bytes.subarray(next)]) : undefined
}

function unescaped(model: string): string {
  try {
    return decodeURIComponent(model)
  } catch {
    return model
  }
}
