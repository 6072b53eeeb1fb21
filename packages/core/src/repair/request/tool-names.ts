/**
 * Names of declared tools. https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
 *
 * 1. A tool is never renamed: nothing would run a call of the new name. What cannot be declared is left out.
 */
import { isRecord, recordsIn, without } from '../../json.ts'
import type { Params } from '../outgoing.ts'
import { localRule } from '../rule.ts'

const validName = /^[a-zA-Z0-9_-]{1,128}$/

export const toolNames = localRule(
  {
    name: 'tool-names',
    row: 38,
    invariant: 'Names of tools are unique, of letters, digits, _ and -, and of at most 128 characters.',
  },
  ({ params }) => {
    const seen = new Set<string>()
    const kept = recordsIn(params['tools']).filter((tool) => {
      const { name, type = 'custom' } = tool
      if (typeof name !== 'string') return true
      if (seen.has(name) || (type === 'custom' && !validName.test(name))) return false
      return seen.add(name)
    })
    const given = Array.isArray(params['tools']) ? params['tools'].length : 0
    if (kept.length === given) return undefined
    const names = recordsIn(params['tools'])
      .filter((tool) => !kept.includes(tool))
      .map((tool) => shortName(String(tool['name'])))
    const what = `left out tools whose name is taken or not allowed: ${names.join(', ')}`
    return { params: withTools(params, kept), mends: [{ what }] }
  },
)

/** The params with just these tools. One that is not declared cannot be forced. */
export function withTools(params: Params, tools: readonly Readonly<Record<string, unknown>>[]): Params {
  if (tools.length === 0) return without(params, ['tools', 'tool_choice'])
  const { tool_choice: choice } = params
  const isGone = isRecord(choice) && choice['type'] === 'tool' && !tools.some(({ name }) => name === choice['name'])
  return { ...params, tools, ...(isGone && { tool_choice: { type: 'auto' } }) }
}

function shortName(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40).toWellFormed()}… (${name.length} characters)` : name
}
