/**
 * The Messages API as Google's Vertex AI has it: the path has the model and says whether the answer streams, the body
 * has the version instead. Everything else, the answer included, is the same.
 * https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
 *
 * 1. Within the gateway such a request is a Messages request like any other, at an address that stands for its own.
 * 2. What recovery does not change leaves as it came, byte for byte.
 */
import { textOfBody, type WireRequest } from '@lastgood/core'

/** Of a path below `/v1/projects/…/locations/…/publishers/anthropic`. */
interface VertexPath {
  readonly publisher: string
  readonly location: string
  readonly model: string
  /** What is asked of the model: `rawPredict`. */
  readonly verb: string
}

const [streaming, whole] = ['streamRawPredict', 'rawPredict'] as const
const vertexPath = /^(.*\/projects\/[^/]+\/locations\/([\w-]+)\/publishers\/anthropic)\/models\/([^/:]+):(\w+)$/
const standIn = /(?<=\/publishers\/anthropic)\/v1\/messages(?=$|\?)/

/** Undefined for a path that is not Vertex's. */
function readPath(pathname: string): VertexPath | undefined {
  const [, publisher, location, model, verb] = vertexPath.exec(pathname) ?? []
  return publisher && location && model && verb ? { publisher, location, model, verb } : undefined
}

/** Where Google serves the location that a path names, as in the SDK's client; undefined for a path that is not Vertex's. */
export function googleHostOf(pathname: string): string | undefined {
  const location = readPath(pathname)?.location
  if (location === undefined || location === 'global') return location && 'https://aiplatform.googleapis.com'
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`
  return `https://${location}-aiplatform.googleapis.com`
}

/** What a request in Vertex's form stands for. */
export interface FromVertex {
  /** That of the Messages request. */
  readonly url: string
  /** The body with what the path says; undefined for one that is no JSON object with fields. */
  bodyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined
}

/** The ends of the paths as they came, and the bodies, by what was made of those. */
const asTheyCame = new WeakMap<object, { readonly end: string; readonly body: Uint8Array }>()

/** Undefined for a request that is not in Vertex's form, or does not ask a model for an answer. */
export function fromVertex(url: string, method: string): FromVertex | undefined {
  const { origin, pathname, search } = new URL(url)
  const { publisher = '', model = '', verb } = readPath(pathname) ?? {}
  // The number of tokens is asked of a model of its own.
  const isAsked = (verb === streaming || verb === whole) && model !== 'count-tokens'
  if (!isAsked || method !== 'POST') return undefined
  return {
    url: `${origin}${publisher}/v1/messages${search}`,
    bodyOf(bytes) {
      const head = `{"model":${JSON.stringify(unescaped(model))},${verb === streaming ? '"stream":true,' : ''}`
      const body = withHead(head, bytes)
      if (body) asTheyCame.set(body, { end: pathname.slice(publisher.length), body: bytes })
      return body
    },
  }
}

/** How it leaves: in Vertex's form if it came in that, else as it is. */
export function toVertex<R extends WireRequest>(request: R): R {
  const { url, body } = request
  if (!standIn.test(url)) return request
  const came = body instanceof Uint8Array ? asTheyCame.get(body) : undefined
  if (came) return { ...request, url: url.replace(standIn, () => came.end), body: came.body }
  const text = textOfBody(body)
  if (text === undefined) return request
  const { model, ...rest } = JSON.parse(text) as { model: string; stream?: boolean }
  const end = `/models/${escaped(model)}:${rest.stream === true ? streaming : whole}`
  const head = `{"model":${JSON.stringify(model)},`
  // In the words in which it is written there.
  const written = text.startsWith(head) ? `{${text.slice(head.length)}` : JSON.stringify(rest)
  return { ...request, url: url.replace(standIn, () => end), body: written }
}

const [brace, quote] = [0x7b, 0x22]

/** `head` in the place of the brace that the object begins with. */
function withHead(head: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const begin = bytes.findIndex((byte) => byte > 0x20)
  const next = bytes.findIndex((byte, at) => at > begin && byte > 0x20)
  const isObject = bytes[begin] === brace && bytes[next] === quote
  return isObject ? Buffer.concat([Buffer.from(head), bytes.subarray(next)]) : undefined
}

/** As in the SDK's client: dated models are `<name>@<date>`. */
const escaped = (model: string): string => encodeURIComponent(model).replaceAll('%40', '@')

function unescaped(model: string): string {
  try {
    return decodeURIComponent(model)
  } catch {
    return model
  }
}
