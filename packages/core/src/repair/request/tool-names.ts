/**
 * Names of declared tools. https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
 *
 * 1. A tool is never renamed: nothing would run a call of the new name. What cannot be declared is left out.
 */
import { isRecord, recordsIn, without } from '../../json.ts'
import type { LocalRule } from '../rule.ts'

const validName = /^[a-zA-Z0-9_-]{1,128}$/

export const toolNames: LocalRule = {
  name: 'tool-names',
  row: 38,
  invariant: 'Names of tools are unique, of letters, digits, _ and -, and of at most 128 characters.',
  repair(outgoing) {
    const { params } = outgoing
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
    const left = kept.length > 0 ? { ...params, tools: kept } : without(params, ['tools', 'tool_choice'])
    const choice = left['tool_choice']
    const isChoiceGone = isRecord(choice) && choice['type'] === 'tool' && !seen.has(String(choice['name']))
    const what = `left out tools whose name is taken or not allowed: ${names.join(', ')}`
    return {
      outgoing: { ...outgoing, params: isChoiceGone ? { ...left, tool_choice: { type: 'auto' } } : left },
      repairs: [{ rule: this.name, row: this.row, what }],
    }
  },
}

function shortName(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40).toWellFormed()}… (${name.length} characters)` : name
}
