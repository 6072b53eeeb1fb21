/**
 * An entry without its content, for a reader who may see how a session went but not what was said. Pure.
 *
 * 1. Texts, inputs, results, the system prompt, tool definitions and the API's messages become their kind and length.
 *    Whatever is not known to be harmless counts as content.
 * 2. Ids, names, models, numbers and reasons stay, so that calls still match their results. The key of a step is the
 *    caller's text: it becomes a digest, the same wherever it appears.
 * 3. Anything that looks like a secret is masked, wherever it is.
 */
import type { Block, Entry, Message, Owner } from '../journal/journal.ts'
import { withoutKey } from '../journal/recorded-steps.ts'
import { isRecord } from '../json.ts'
import { withoutSecretsInside } from '../secrets.ts'

/** The entry without content: texts, inputs and results become their kind and length; secrets are masked. */
export function redacted(entry: Entry): Entry {
  return withoutSecretsInside(withoutContent(entry)) as Entry
}

function withoutContent(entry: Entry): Entry {
  switch (entry.type) {
    case 'session-opened':
      return { ...entry, owner: owner(entry.owner), ...(entry.cwd !== undefined && { cwd: stub(entry.cwd) as string }) }
    case 'session-resumed':
      return { ...entry, owner: owner(entry.owner) }
    case 'envelope-changed': {
      const { body } = entry.envelope
      return { ...entry, envelope: { ...entry.envelope, body: mapped(body, bodyField) as typeof body } }
    }
    case 'turn-started':
    case 'turn-continued':
      return { ...entry, messages: entry.messages.map(message) }
    case 'transcript-repaired':
      return { ...entry, edits: entry.edits.map((edit) => ({ ...edit, insert: edit.insert.map(message) })) }
    case 'response-received':
      return { ...entry, message: mapped(entry.message, answerField) as typeof entry.message }
    case 'fault-observed':
      return withoutMessage(entry)
    case 'tool-finished':
      return { ...entry, result: block(entry.result) }
    case 'step-started':
      return { ...entry, stepId: withoutKey(entry.stepId) }
    case 'step-finished': {
      const { stepId, value } = entry
      return { ...entry, stepId: withoutKey(stepId), ...(value !== undefined && { value: resultStub(value) }) }
    }
    // Each of the rest by its name, so that a new kind has to be judged.
    case 'request-sent':
    case 'request-held':
    case 'rung-changed':
    case 'repairs-reverted':
    case 'tool-started':
    case 'session-suspended':
    case 'turn-ended':
    case 'session-forked':
    case 'session-imported':
    case 'retention-changed':
    case 'kept-apart':
    case 'sealed':
    case 'rewound':
      return entry
  }
}

/** The API may quote the conversation in a refusal, and the decision quotes the API. */
function withoutMessage(entry: Entry & { type: 'fault-observed' }): Entry {
  const { fault, decision } = entry
  const { message } = fault
  if (message === undefined) return entry
  const stubbed = stub(message) as string
  return {
    ...entry,
    fault: { ...fault, message: stubbed },
    decision:
      message !== '' && 'reason' in decision
        ? { ...decision, reason: decision.reason.replaceAll(standingAlone(message), () => stubbed) }
        : decision,
  }
}

/** Matches `text` only as separate words: a one-letter message occurs inside many words. */
function standingAlone(text: string): RegExp {
  const escaped = text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'gu')
}

const keptOfBody: ReadonlySet<string> = new Set([
  'model',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'thinking',
  'tool_choice',
  'service_tier',
  'cache_control',
])

function bodyField(name: string, value: unknown): unknown {
  if (keptOfBody.has(name)) return value
  if (name === 'context_management') return settings(value)
  if (name === 'output_config' && isRecord(value)) return mapped(value, outputField)
  if (name === 'tools' && Array.isArray(value)) return value.map((tool) => kept(tool, keptOfTool))
  if (name === 'system' && Array.isArray(value)) return value.map(block)
  return stub(value)
}

/** Keeps numbers and kinds: the instructions for a compaction are text like any other. */
function settings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(settings)
  if (!isRecord(value)) return stub(value)
  return mapped(value, (name, field) => (keptOfSettings.has(name) ? field : settings(field)))
}

/** A schema is replaced: it says what the answer is about. */
const outputField = (name: string, value: unknown): unknown =>
  name === 'effort' ? value : name === 'format' ? kept(value, keptOfFormat) : stub(value)

const keptOfSettings: ReadonlySet<string> = new Set(['type', 'exclude_tools'])
const keptOfFormat: ReadonlySet<string> = new Set(['type'])
const keptOfTool: ReadonlySet<string> = new Set(['name', 'type', 'cache_control', 'strict'])
const keptOfAnswer: ReadonlySet<string> = new Set(['id', 'type', 'role', 'model', 'stop_reason', 'usage'])
const keptOfBlock: ReadonlySet<string> = new Set([
  'type',
  'id',
  'tool_use_id',
  'name',
  'is_error',
  'media_type',
  'cache_control',
])

function answerField(name: string, value: unknown): unknown {
  return name === 'content' && Array.isArray(value) ? value.map(block) : keptOfAnswer.has(name) ? value : stub(value)
}

function owner({ id, host, realm, pid }: Owner): Owner {
  return { id, host: stub(host) as string, realm: stub(realm) as string, pid }
}

function message({ role, content }: Message): Message {
  return { role, content: typeof content === 'string' ? (stub(content) as string) : content.map(block) }
}

function block(value: Block): Block {
  return mapped(value, (name, field) => {
    if (keptOfBlock.has(name)) return field
    return name === 'content' && Array.isArray(field) ? field.map(block) : stub(field)
  }) as Block
}

function kept(value: unknown, names: ReadonlySet<string>): unknown {
  return isRecord(value) ? mapped(value, (name, field) => (names.has(name) ? field : stub(field))) : stub(value)
}

function mapped(record: Readonly<Record<string, unknown>>, field: (name: string, value: unknown) => unknown): unknown {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, field(name, value)]))
}

/** Kind and length. */
function stub(value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value
  if (typeof value === 'string') return `[${value.length} characters]`
  const kind = Array.isArray(value) ? `list of ${value.length}` : 'object'
  return `[${kind}, ${JSON.stringify(value ?? null).length} characters of JSON]`
}

/** What a step returned: even a number may be content, an account number for instance. */
const resultStub = (value: unknown): unknown => (typeof value === 'number' ? '[number]' : stub(value))
