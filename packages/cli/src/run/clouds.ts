/**
 * Claude Code at a cloud: `CLAUDE_CODE_USE_…` sends it there, past `ANTHROPIC_BASE_URL`, and each cloud has a variable of
 * its own for the address. https://code.claude.com/docs/en/llm-gateway
 *
 * A cloud that the gateway cannot stand in for is refused: the command would run, and nothing of it would be recorded or
 * survived. A signature holds for one address alone: where Claude Code would sign, the gateway does.
 */
import { LastgoodError } from '@lastgood/core'
import type { Env } from '../context.ts'

export interface AtCloud {
  /** Where its requests go; undefined: the gateway knows it by their paths. */
  readonly upstream: string | undefined
  /** Amazon wants a signature, and the command does not make it. */
  readonly isSigned?: boolean
  /** What leads it to the gateway at `url`; an undefined variable is to be removed. */
  variables(url: string): Record<string, string | undefined>
}

const refused: Readonly<Record<string, string>> = {
  CLAUDE_CODE_USE_MANTLE: "Bedrock's Messages API",
  CLAUDE_CODE_USE_ANTHROPIC_AWS: 'the Claude Platform on AWS',
  CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD: 'the Claude Platform on Google Cloud',
  CLAUDE_CODE_USE_GATEWAY: 'another gateway',
}

/** The cloud that Claude Code is sent to, if there is one. Errors: `bad-option`. */
export function cloudIn(env: Env): AtCloud | undefined {
  const isOn = (flag: string): boolean => /^(1|true|yes|on)$/i.test(env[flag]?.trim() ?? '')
  for (const [flag, name] of Object.entries(refused)) if (isOn(flag)) throw goesPast(flag, name)
  if (isOn('CLAUDE_CODE_USE_BEDROCK')) {
    return bedrockIn(env, !env['AWS_BEARER_TOKEN_BEDROCK'] && !isOn('CLAUDE_CODE_SKIP_BEDROCK_AUTH'))
  }
  if (isOn('CLAUDE_CODE_USE_VERTEX')) return vertexIn(env)
  if (isOn('CLAUDE_CODE_USE_FOUNDRY')) return foundryIn(env)
  return undefined
}

function bedrockIn(env: Env, isSigned: boolean): AtCloud {
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION']
  const usual = region ? `https://bedrock-runtime.${region}.amazonaws.com` : undefined
  const outside = addressIn(env, 'ANTHROPIC_BEDROCK_BASE_URL', usual)
  if (!outside) throw lacks('CLAUDE_CODE_USE_BEDROCK', 'AWS_REGION', 'ANTHROPIC_BEDROCK_BASE_URL')
  return {
    upstream: outside.origin,
    isSigned,
    variables: (url) => ({
      ANTHROPIC_BEDROCK_BASE_URL: `${url}${outside.path}`,
      ...(isSigned && { CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1' }),
    }),
  }
}

/** Each of its regions has a host, so that there is no single upstream. */
function vertexIn(env: Env): AtCloud {
  const outside = addressIn(env, 'ANTHROPIC_VERTEX_BASE_URL')
  return {
    upstream: outside?.origin,
    variables: (url) => ({ ANTHROPIC_VERTEX_BASE_URL: `${url}${outside?.path ?? '/v1'}` }),
  }
}

function foundryIn(env: Env): AtCloud {
  const { ANTHROPIC_FOUNDRY_RESOURCE: resource } = env
  const usual = resource ? `https://${resource}.services.ai.azure.com/anthropic` : undefined
  const outside = addressIn(env, 'ANTHROPIC_FOUNDRY_BASE_URL', usual)
  if (!outside) throw lacks('CLAUDE_CODE_USE_FOUNDRY', 'ANTHROPIC_FOUNDRY_RESOURCE', 'ANTHROPIC_FOUNDRY_BASE_URL')
  return {
    upstream: outside.origin,
    // Its client takes one of the two.
    variables: (url) => ({
      ANTHROPIC_FOUNDRY_BASE_URL: `${url}${outside.path}`,
      ANTHROPIC_FOUNDRY_RESOURCE: undefined,
    }),
  }
}

/** The address in a variable, in parts; `usual` where it is not set. */
function addressIn(env: Env, name: string, usual?: string): { origin: string; path: string } | undefined {
  const address = env[name] || usual
  if (!address) return undefined
  if (URL.canParse(address)) {
    const { origin, pathname } = new URL(address)
    return { origin, path: pathname.replace(/\/+$/, '') }
  }
  throw new LastgoodError('bad-option', `${name} is not an address`, {
    hint: 'set it as for Claude Code alone, or unset it',
    details: { field: name },
  })
}

function lacks(flag: string, field: string, address: string): LastgoodError {
  return new LastgoodError('bad-option', `${flag} is set, and nothing says where to go`, {
    hint: `set ${field}, or ${address}`,
    details: { field },
  })
}

function goesPast(flag: string, name: string): LastgoodError {
  return new LastgoodError(
    'bad-option',
    `${flag} is set: Claude Code goes to ${name}, past this gateway, and nothing of it would be recorded or survived`,
    {
      hint: `start claude without lastgood, or leave that out: env -u ${flag} lastgood run -- …`,
      details: { field: flag },
    },
  )
}
