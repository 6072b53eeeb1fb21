/**
 * How what a session has pinned differs from what today's code would send: an edited system prompt, a new tool, another
 * model. Pure. It gives names, numbers and sizes only: an envelope is content.
 */
import { isRecord } from '../json.ts'
import type { Envelope } from './journal.ts'

/** What an agent sends with each request besides the conversation. */
export interface CurrentEnvelope {
  readonly body: Readonly<Record<string, unknown>>
  readonly betas: readonly string[]
  /** Absent where the client's own applies. */
  readonly apiVersion?: string
}

export interface EnvelopeChange {
  part: 'model' | 'system' | 'tool' | 'tools' | 'param' | 'beta' | 'api-version'
  /** Of the tool, parameter or beta. */
  name?: string
  change: 'added' | 'removed' | 'changed'
  /** A size, or a value where it reveals nothing of the conversation; absent on the side that lacks the part. */
  pinned?: string
  current?: string
}

/** Empty where the request would be the same. */
export function envelopeDrift(pinned: Envelope, current: CurrentEnvelope): EnvelopeChange[] {
  const fields = new Set([...Object.keys(pinned.body), ...Object.keys(current.body)])
  const params = [...fields]
    .filter((name) => name !== 'tools')
    .flatMap((name) => {
      const part = name === 'model' || name === 'system' ? name : 'param'
      return changed(part === 'param' ? { part, name } : { part }, pinned.body[name], current.body[name])
    })
  const versions =
    current.apiVersion === undefined ? [] : changed({ part: 'api-version' }, pinned.apiVersion, current.apiVersion)
  return [
    ...params,
    ...toolDrift(pinned.body['tools'], current.body['tools']),
    ...betaDrift(pinned, current),
    ...versions,
  ]
}

function toolDrift(before: unknown, after: unknown): EnvelopeChange[] {
  const [pinned, current] = [toolsByName(before), toolsByName(after)]
  const names = [...new Set([...pinned.keys(), ...current.keys()])]
  const changes = names.flatMap((name) => changed({ part: 'tool', name }, pinned.get(name), current.get(name)))
  const isReordered = changes.length === 0 && [...pinned.keys()].join('\n') !== [...current.keys()].join('\n')
  return isReordered ? [{ part: 'tools', change: 'changed', pinned: 'one order', current: 'another order' }] : changes
}

function toolsByName(tools: unknown): Map<string, unknown> {
  const list = Array.isArray(tools) ? (tools as unknown[]) : []
  return new Map(list.map((one, at) => [isRecord(one) ? String(one['name'] ?? one['type']) : `tool ${at + 1}`, one]))
}

function betaDrift({ betas: pinned }: Envelope, { betas: current }: CurrentEnvelope): EnvelopeChange[] {
  const added = current.filter((name) => !pinned.includes(name))
  const removed = pinned.filter((name) => !current.includes(name))
  return [
    ...added.map((name): EnvelopeChange => ({ part: 'beta', name, change: 'added' })),
    ...removed.map((name): EnvelopeChange => ({ part: 'beta', name, change: 'removed' })),
  ]
}

function changed(what: Pick<EnvelopeChange, 'part' | 'name'>, before: unknown, after: unknown): EnvelopeChange[] {
  // Compared as it is sent: the order of keys is part of what is cached.
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
  const isOpen = what.part === 'model' || what.part === 'api-version'
  return [
    {
      ...what,
      change,
      ...(before !== undefined && { pinned: label(before, isOpen) }),
      ...(after !== undefined && { current: label(after, isOpen) }),
    },
  ]
}

function label(value: unknown, isOpen: boolean): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  if (typeof value === 'string') return isOpen ? value : `${value.length} characters`
  return `${JSON.stringify(value).length} characters`
}
