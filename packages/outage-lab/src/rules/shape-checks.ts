/**
 * Checks of the shape: required fields, and unknown fields.
 * 1. Blocks that the API itself sends back unchanged pass: only the types listed here have a closed set of fields.
 */
import { isObject, objectsOf, stringOf, type JsonObject } from '../json.ts'
import { BINDING_BETA, SAFEGUARDS_BETA, type Found, type Transcript } from '../transcript.ts'

const EXTRA = 'Extra inputs are not permitted'
const MISSING = 'Field required'

const SETTINGS = new Set(
  (
    'max_tokens messages model billing_policy cache_control compaction container context_management diagnostics fallback_credit_token fallbacks ' +
    'inference_geo mcp_servers metadata output_config output_format safeguards service_tier speed stop_sequences stream system temperature thinking thread ' +
    'tool_choice tools top_k top_p user_profile_id'
  ).split(' '),
)

/** Fields of the blocks that clients build or echo most; nested fields are not checked here. */
const FIELDS: { readonly [type: string]: readonly string[] } = {
  text: ['type', 'text', 'citations', 'cache_control'],
  tool_use: ['type', 'id', 'name', 'input', 'cache_control', 'caller', 'toolset_name'],
  tool_result: ['type', 'tool_use_id', 'content', 'is_error', 'cache_control', 'toolset_name'],
  thinking: ['type', 'thinking', 'signature'],
  redacted_thinking: ['type', 'data'],
}
const REQUIRED: { readonly [type: string]: readonly string[] } = {
  text: ['text'],
  tool_use: ['id', 'name', 'input'],
  tool_result: ['tool_use_id'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
  image: ['source'],
  document: ['source'],
}
const OTHER_TYPES =
  'image document search_result server_tool_use web_search_tool_result web_fetch_tool_result code_execution_tool_result ' +
  'bash_code_execution_tool_result text_editor_code_execution_tool_result tool_search_tool_result advisor_tool_result mcp_tool_use ' +
  'mcp_tool_result container_upload compaction fallback tool_reference tool_addition tool_removal browser_state'
const TYPES = [...Object.keys(FIELDS), ...OTHER_TYPES.split(' ')]

export function findBadSetting({ request, betas }: Transcript): Found | undefined {
  for (const field of ['model', 'messages']) if (request[field] === undefined) return { path: field, problem: MISSING }
  const unknown = Object.keys(request).find((field) => !SETTINGS.has(field))
  if (unknown !== undefined) return { path: unknown, problem: EXTRA }
  if (request['safeguards'] !== undefined && !betas.includes(SAFEGUARDS_BETA))
    return { path: 'safeguards', problem: EXTRA }
  const messages = request['messages']
  if (!Array.isArray(messages)) return { path: 'messages', problem: 'Input should be a valid list' }
  if (messages.length === 0) return { path: 'messages', problem: 'at least one message is required' }
  const thinking = request['thinking']
  if (isObject(thinking) && thinking['block_binding'] !== undefined && !betas.includes(BINDING_BETA)) {
    return { path: `thinking.${stringOf(thinking['type'])}.block_binding`, problem: EXTRA }
  }
  const control = objectsOf(
    [request, ...objectsOf(request['tools']), ...objectsOf(request['system'])].map((owner) => owner['cache_control']),
  )
  return control.some(badCacheControl) ? { path: 'cache_control.ephemeral', problem: EXTRA } : undefined
}

export function findBadTool({ tools }: Transcript): Found | undefined {
  for (const [at, tool] of tools.entries()) {
    const custom = tool['type'] === undefined || tool['type'] === 'custom'
    if (tool['name'] === undefined && custom) return { path: `${at}.custom.name`, problem: MISSING }
    if (!custom) continue
    if (!isObject(tool['input_schema'])) return { path: `${at}.custom.input_schema`, problem: MISSING }
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(stringOf(tool['name'])))
      return { path: `${at}.custom.name`, problem: "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'" }
  }
  return undefined
}

export function findBadBlock({ raw }: Transcript): Found | undefined {
  for (const [at, { role, content }] of raw.entries()) {
    const path = `messages.${at}`
    if (role === undefined) return { path: `${path}.role`, problem: MISSING }
    if (!['user', 'assistant', 'system'].includes(stringOf(role)))
      return { path: `${path}.role`, problem: "Input should be 'user' or 'assistant'" }
    if (content === undefined) return { path: `${path}.content`, problem: MISSING }
    if (typeof content !== 'string' && !Array.isArray(content))
      return { path: `${path}.content`, problem: 'Input should be a valid list' }
    for (const [index, block] of (Array.isArray(content) ? content : []).entries()) {
      const found = isObject(block)
        ? badBlock(block, `${path}.content.${index}`)
        : { path: `${path}.content.${index}`, problem: 'Input should be an object' }
      if (found) return found
    }
  }
  return undefined
}

function badBlock(block: JsonObject, path: string): Found | undefined {
  const type = stringOf(block['type'])
  if (!TYPES.includes(type)) {
    return {
      path,
      problem: `Input tag '${type}' found using 'type' does not match any of the expected tags: ${TYPES.map((tag) => `'${tag}'`).join(', ')}`,
    }
  }
  const fields = FIELDS[type]
  const unknown = fields && Object.keys(block).find((field) => !fields.includes(field))
  if (unknown !== undefined) return { path: `${path}.${type}.${unknown}`, problem: EXTRA }
  const missing = REQUIRED[type]?.find((field) => block[field] === undefined)
  if (missing !== undefined) return { path: `${path}.${type}.${missing}`, problem: MISSING }
  if (badCacheControl(block['cache_control']))
    return { path: `${path}.${type}.cache_control.ephemeral`, problem: EXTRA }
  for (const [deep, inner] of type === 'tool_result' ? objectsOf(block['content']).entries() : []) {
    const found = badBlock(inner, `${path}.tool_result.content.${deep}`)
    if (found) return found
  }
  return undefined
}

function badCacheControl(control: unknown): boolean {
  return isObject(control) && Object.keys(control).some((field) => field !== 'type' && field !== 'ttl')
}
