/**
 * How programs are told of the gateway. Claude Code, the Agent SDK, qwen-code and every Anthropic SDK read
 * `ANTHROPIC_BASE_URL`; opencode reads a configuration of its own, which lies over its files; pi has files only.
 */
import type { Env } from '../context.ts'

/** What a command's environment has besides its own; `url` without `/v1`. */
export function environmentOf(url: string, env: Env): Record<string, string> {
  const provider = { anthropic: { options: { baseURL: `${url}/v1` } } }
  return {
    ANTHROPIC_BASE_URL: url,
    // Another one that the user has there is left alone: two cannot lie over one another safely.
    ...(env['OPENCODE_CONFIG_CONTENT'] === undefined && { OPENCODE_CONFIG_CONTENT: JSON.stringify({ provider }) }),
    ...notByProxy(new URL(url).hostname, env),
  }
}

/** The way to a gateway on this machine is no proxy's. */
function notByProxy(host: string, env: Env): Record<string, string> {
  const names = ['NO_PROXY', 'no_proxy'].filter((name) => env[name] !== undefined)
  return Object.fromEntries(
    (names.length > 0 ? names : ['NO_PROXY']).map((name) => [name, [env[name], host].filter(Boolean).join(',')]),
  )
}
