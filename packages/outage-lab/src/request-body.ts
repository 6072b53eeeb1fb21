/**
 * Judges a request body as JSON.
 * 1. A lone surrogate is invalid JSON, though JavaScript accepts it.
 */
import { invalid, type ApiError } from './api-error.ts'
import { isObject, type JsonObject } from './json.ts'

export function parseBody(raw: string): { readonly body: JsonObject } | { readonly error: ApiError } {
  const lone = loneSurrogate(raw)
  if (lone !== undefined) return { error: notJson(`no low surrogate in string: ${position(raw, lone)}`, 37) }
  try {
    const body: unknown = JSON.parse(raw)
    return isObject(body) ? { body } : { error: invalid('Input should be an object') }
  } catch (cause) {
    const found = /position (\d+)/.exec(cause instanceof Error ? cause.message : '')
    return { error: notJson(`unexpected character: ${position(raw, Number(found?.[1] ?? raw.length))}`) }
  }
}

function notJson(problem: string, row?: number): ApiError {
  return invalid(`The request body is not valid JSON: ${problem}`, { rule: 'json', ...(row !== undefined && { row }) })
}

function loneSurrogate(raw: string): number | undefined {
  const escapes =
    /\\(?:u([dD][89abAB][0-9a-fA-F]{2})(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|u([dD][c-fC-F][0-9a-fA-F]{2})|[^])/g
  for (const match of raw.matchAll(escapes)) {
    if ((match[1] !== undefined && match[2] === undefined) || match[3] !== undefined) return match.index
  }
  return undefined
}

function position(raw: string, at: number): string {
  const before = raw.slice(0, at).split('\n')
  return `line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1} (char ${at})`
}
