/** The actions that a page asks for, checked. Pure. */
import { LastgoodError } from '@lastgood/core'
import { z } from 'zod'
import { safeLine } from '../text.ts'

/** One line that a person wrote: without anything that a terminal would obey, or a mark that reorders a line. */
// oxlint-disable-next-line no-control-regex
const plainLine = /^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$/

const reason = z.string().trim().min(1).max(300).regex(plainLine)
const turn = z.number().int().min(0).max(1_000_000_000)

const schema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('resume'), reason, inDoubt: z.enum(['rerun', 'report']).optional() }),
  z.strictObject({ action: z.literal('suspend'), reason }),
  z.strictObject({ action: z.literal('takeover'), reason }),
  z.strictObject({ action: z.literal('rewind'), reason, to: turn }),
  z.strictObject({ action: z.literal('fork'), reason, at: turn.optional(), newId: z.string().max(200).optional() }),
])
export type CheckedAction = z.infer<typeof schema>

const names: ReadonlySet<string> = new Set(schema.options.flatMap(({ shape }) => [...shape.action.values]))

export const isActionName = (name: string): name is CheckedAction['action'] => names.has(name)

/** The action that the address names, with details from the body. Errors: `bad-option`. */
export function actionIn(name: CheckedAction['action'], body: Readonly<Record<string, unknown>>): CheckedAction {
  const { action = name } = body
  if (action === name) return checked(schema, { ...body, action })
  throw new LastgoodError('bad-option', `the address says ${name}, and the body something else`, {
    hint: 'leave action out of the body',
    details: { field: 'action' },
  })
}

const everyMs = z.number().int().min(0).max(3_600_000)
const resumeAll = z.strictObject({ reason, everyMs: everyMs.optional() })

/** Errors: `bad-option`. */
export const resumeAllBody = (body: unknown): z.infer<typeof resumeAll> => checked(resumeAll, body)

const shapes: Readonly<Record<string, string>> = {
  reason: 'a reason has 1 to 300 characters in one line',
  to: 'the number of a turn; 0 is before the first one',
  at: 'the number of a turn',
  newId: 'the name of a session; without it one is made',
  inDoubt: 'rerun or report',
  everyMs: 'milliseconds, from 0 to 3600000',
}

function checked<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const { success, data, error } = schema.safeParse(body)
  if (success) return data
  const issue = error.issues[0]
  const isUnknown = issue?.code === 'unrecognized_keys'
  const field = safeLine((isUnknown ? issue.keys[0] : issue?.path.join('.')) || 'the request').slice(0, 60)
  const why = isUnknown ? 'there is no such field' : (issue?.code ?? 'unreadable')
  throw new LastgoodError('bad-option', `${field} is not valid: ${why}`, {
    hint: (Object.hasOwn(shapes, field) && shapes[field]) || `known fields: ${Object.keys(shapes).join(', ')}`,
    details: { field },
  })
}
