/**
 * The kinds of entries, from the schema itself, with the variants that it allows: `tool-finished`, `tool-finished
 * outcome=ran`, `fault-observed decision=retry`. A new kind in the schema that no scenario writes is found missing.
 */
import type { Entry } from '@lastgood/core'
import { z } from 'zod'
import { entryBodySchema } from '../../../packages/core/src/journal/journal.ts'

/** Kinds, or variants of one, that no session writes by running, and why. */
export const writtenElsewhere: Readonly<Record<string, string>> = {
  sealed: 'a decorator of stores makes it of other entries, and takes it off again: no session sees it',
  'session-forked': 'the first own entry of a copy, whose source is another journal',
  'session-imported': 'comes with a journal that was read from a file',
  'retention-changed': 'a person decides how long a session is kept',
  'step-started inDoubt=rerun': 'a step that may be repeated needs no intent',
}

/** Fields of an entry that vary, each with its values. */
const variants = new Map(entryBodySchema().options.map(({ shape }) => [shape.type.value, variantsOf(shape)]))

export const allKinds: ReadonlySet<string> = new Set(
  [...variants].flatMap(([type, fields]) => [
    type,
    ...[...fields].flatMap(([field, values]) => values.map((value) => `${type} ${field}=${value}`)),
  ]),
)

export function kindsIn(journal: readonly Entry[]): string[] {
  return journal.flatMap((entry) => {
    const fields = [...(variants.get(entry.type)?.keys() ?? [])]
    const values = fields.flatMap((field) => {
      const value: unknown = entry[field as keyof Entry]
      if (value === undefined) return []
      const name = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : value
      return [`${entry.type} ${field}=${String(name)}`]
    })
    return [entry.type, ...values]
  })
}

/** Whether `writtenElsewhere` has this kind, or its whole type. */
export function isWrittenElsewhere(kind: string): boolean {
  return kind in writtenElsewhere || kind.replace(/ .*/, '') in writtenElsewhere
}

function variantsOf(shape: Readonly<Record<string, z.ZodType>>): ReadonlyMap<string, string[]> {
  const fields = Object.entries(shape).filter(([field]) => field !== 'type')
  return new Map(
    fields.flatMap(([field, schema]): [string, string[]][] => {
      const values = valuesOf(schema)
      return values.length > 0 ? [[field, values]] : []
    }),
  )
}

function valuesOf(schema: z.ZodType): string[] {
  if (schema instanceof z.ZodOptional) return valuesOf(schema.unwrap() as z.ZodType)
  if (schema instanceof z.ZodEnum) return schema.options.map(String)
  if (schema instanceof z.ZodLiteral) return [String(schema.value)]
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return []
  return schema.options.flatMap((option) =>
    option instanceof z.ZodObject && 'kind' in option.shape ? valuesOf(option.shape['kind'] as z.ZodType) : [],
  )
}
