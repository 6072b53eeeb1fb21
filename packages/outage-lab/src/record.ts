import type { IncomingHttpHeaders } from 'node:http'
import type { ApiError } from './api-error.ts'
import type { InputUsage } from './cache.ts'
import type { Block, Role } from './conversation.ts'
import type { JsonObject } from './json.ts'
import type { Fault } from './outage.ts'

export interface Usage extends InputUsage {
  readonly output_tokens: number
}

export interface ServedMessage {
  readonly id: string
  readonly type: 'message'
  readonly role: 'assistant'
  readonly model: string
  readonly content: readonly Block[]
  readonly stop_reason: string
  readonly stop_sequence: string | null
  readonly usage: Usage
  readonly [field: string]: unknown
}

export interface Outcome {
  /**
   * `pending`: not decided yet. `ok`: the message was served as it is. `fault`: an outage happened. `rejected`: the
   * request was refused. `other`: an answer that is no message (models, count_tokens, health).
   */
  readonly kind: 'pending' | 'ok' | 'fault' | 'rejected' | 'other'
  /** HTTP status that was sent; absent if no head was sent. */
  readonly status?: number
  readonly fault?: Fault
  /** Name of the outage. */
  readonly outage?: string
  /** The whole message, even if only a part of it arrived. */
  readonly message?: ServedMessage
  readonly usage?: Usage
  /** The error that was sent. */
  readonly error?: ApiError
}

export interface RequestBody extends JsonObject {
  readonly model?: string
  readonly max_tokens?: number
  readonly stream?: boolean
  readonly system?: string | readonly Block[]
  readonly tools?: readonly JsonObject[]
  readonly messages?: readonly { readonly role: Role; readonly content: string | readonly Block[] }[]
}

export interface RecordedRequest {
  /** Counts POST /v1/messages from 1; 0 for everything else. */
  readonly n: number
  readonly at: number
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Parsed; the type is assumed, not checked. Undefined if it is no JSON object. */
  readonly body: RequestBody | undefined
  /** The exact text. */
  readonly raw: string
  readonly requestId: string
  readonly outcome: Outcome
  /** What is wrong with the transcript, even if an outage hid it from the client. */
  readonly violation?: ApiError
  /** The whole answer was handed over. */
  readonly completed: boolean
}

/** The record while its request is still being answered. */
export type OpenRecord = { -readonly [Field in keyof RecordedRequest]: RecordedRequest[Field] }
