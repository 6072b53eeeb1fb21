/**
 * How programs find the gateway. Claude Code, the Agent SDK, qwen-code and every Anthropic SDK read
 * `ANTHROPIC_BASE_URL`; opencode reads its own configuration variable, which overrides its files; pi reads only files. What
 * makes Claude Code ask Vertex AI may be in its settings, where it is not seen here, so that its address is always set.
 */
import type { Env } from '../context.ts'

/** The variables added to a command's environment; `url` has no `/v1`. `knowsGoogle`: the gateway has no other upstream. */
export function environmentOf(url: string, env: Env, knowsGoogle: boolean): Record<string, string> {
  const provider = { anthropic: { options: { baseURL: `${url}/v1` } } }
  return {
    ANTHROPIC_BASE_URL: url,
    ...(knowsGoogle && env['ANTHROPIC_VERTEX_BASE_URL'] === undefined && { ANTHROPIC_VERTEX_BASE_URL: `${url}/v1` }),
    // A value that the user set is left alone: two cannot be merged safely.
    ...(env['OPENCODE_CONFIG_CONTENT'] === undefined && { OPENCODE_CONFIG_CONTENT: JSON.stringify({ provider }) }),
    ...notByProxy(new URL(url).hostname, env),
  }
}

/** Requests to a gateway on this machine bypass any proxy. */
function notByProxy(host: string, env: Env): Record<string, string> {
  const names = ['NO_PROXY', 'no_proxy'].filter((name) => env[name] !== undefined)
  return Object.fromEntries(
    (names.length > 0 ? names : ['NO_PROXY']).map((name) => [name, [env[name], host].filter(Boolean).join(',')]),
  )
}
