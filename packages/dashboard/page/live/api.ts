/** Requests to this page's server. Addresses are relative: it is served at `/` and below `/dashboard/`. */
import type { Action, ActionDone, ActionRefusal } from '../../src/session-document.ts'

/** A request that was refused or not answered, in the server's words. */
export class PageError extends Error {
  /** The HTTP status; 0 if no answer came. */
  readonly status: number
  readonly code: string
  readonly hint: string | null

  constructor(status: number, code: string, message: string, hint: string | null = null) {
    super(message)
    this.status = status
    this.code = code
    this.hint = hint
  }
}

export function getJson<Document>(path: string, signal?: AbortSignal): Promise<Document> {
  return request(path, signal ? { signal } : {})
}

export function postJson<Answer>(path: string, body: object): Promise<Answer> {
  return request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

export function act(sessionId: string, { action, ...body }: Action): Promise<ActionDone> {
  return postJson(`api/sessions/${encodeURIComponent(sessionId)}/${action}`, body)
}

async function request<Document>(path: string, options: RequestInit): Promise<Document> {
  const response = await fetch(path, { credentials: 'same-origin', ...options }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new PageError(
      0,
      'unreachable',
      'the dashboard’s server does not answer',
      'is lastgood dashboard still running?',
    )
  })
  const text = await response.text()
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as Document
  const { error } = refusalIn(text) ?? { error: undefined }
  throw new PageError(
    response.status,
    error?.code ?? `http-${response.status}`,
    error?.message ?? `the server answered ${response.status}`,
    error?.hint ?? null,
  )
}

function refusalIn(text: string): ActionRefusal | undefined {
  try {
    const body = JSON.parse(text) as Partial<ActionRefusal>
    return typeof body.error?.message === 'string' ? { error: body.error } : undefined
  } catch {
    return undefined
  }
}
