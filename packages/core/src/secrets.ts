/**
 * Masks secrets of known shapes in foreign text, before it is printed, recorded or handed on. Pure.
 *
 *     withoutSecrets('ANTHROPIC_API_KEY=sk-ant-api03-…')     // 'ANTHROPIC_API_KEY=sk-ant-…[secret]'
 *
 * 1. It is a net, not a wall: a secret that looks like any other word passes. The part that stays tells the kind.
 * 2. Masking masked text changes nothing.
 * 3. Linear in the length of the text, whatever the text: a pattern starts only where a run of its characters starts,
 *    and then either matches or has looked only at that run and a bounded number of following ones.
 * 4. Hashes, UUIDs, encoded images and ordinary code stay as they are.
 */
import { isRecord } from './json.ts'
import { isSecretField, withoutSecretValues } from './secret-values.ts'

/** `text` with every recognised secret replaced by `[secret]`. */
export function withoutSecrets(text: string): string {
  const masked = withoutPrivateKeys(text)
    .replaceAll(keysByPrefix, (_, ...groups) => `${groups.find((prefix) => prefix !== undefined)}…[secret]`)
    .replaceAll(hooks, '$1…[secret]')
    .replaceAll(passwordsInUrls, '$1[secret]@')
    .replaceAll(tokensInUrls, '[secret]')
    .replaceAll(credentials, '$1[secret]')
    .replaceAll(keysInHeaders, '$1[secret]')
    .replaceAll(bearers, '$1[secret]')
  return withoutSecretValues(masked)
}

/**
 * `value` with the secrets in all its strings masked; a string that is secret by its field's name is masked whole.
 * `shownText` transforms all other strings, and has to mask them.
 */
export function withoutSecretsInside(value: unknown, shownText: (text: string) => string = withoutSecrets): unknown {
  const shown = (one: unknown, name: string): unknown => {
    if (typeof one === 'string') return isSecretField(name, one) ? '[secret]' : shownText(one)
    if (Array.isArray(one)) return one.map((each) => shown(each, name))
    if (!isRecord(one)) return one
    return Object.fromEntries(Object.entries(one).map(([key, field]) => [key, shown(field, key)]))
  }
  return shown(value, '')
}

/** A prefix that stays visible, and the rest. None of them begins inside a word. */
const prefixed: readonly string[] = [
  // Anthropic; then the generic form of OpenAI and many others, with a digit, which a class name lacks.
  String.raw`(sk-ant-)[\w-]{8,}`,
  String.raw`(sk-)(?=[a-zA-Z_-]*\d)[\w-]{20,}`,
  // AWS access key ids, temporary ones too. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
  String.raw`(?<![+/])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9_])`,
  // https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
  String.raw`(gh[oprsu]_)[A-Za-z0-9]{20,}`,
  String.raw`(github_pat_)\w{20,}`,
  // https://docs.gitlab.com/security/tokens/#token-prefixes
  String.raw`(gl(?:agent|cbt|dt|ft|imt|oas|pat|ptt|rt|soat)-)[\w-]{16,}`,
  // https://docs.slack.dev/authentication/tokens
  String.raw`(xox[a-z]-)(?=[a-zA-Z_-]*\d)[\w-]{10,}`,
  String.raw`(xapp-)\d[\w-]{10,}`,
  // Google: API keys, OAuth tokens and client secrets.
  String.raw`(?<![+/])(AIza)[\w-]{35}(?![\w-])`,
  String.raw`(ya29\.)[\w-]{20,}`,
  String.raw`(GOCSPX-)[\w-]{20,}`,
  // npm, PyPI, Hugging Face, Stripe.
  String.raw`(npm_)[A-Za-z0-9]{36}(?![A-Za-z0-9_])`,
  String.raw`(pypi-)[\w-]{50,}`,
  String.raw`(hf_)[A-Za-z0-9]{30,}`,
  String.raw`([rs]k_(?:live|test)_)[A-Za-z0-9]{16,}`,
  // A JSON Web Token, signed or encrypted: segments of base64url, the first an object.
  String.raw`(eyJ)[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){1,3}`,
]
const keysByPrefix = new RegExp(`(?<![\\w-])(?:${prefixed.join('|')})`, 'g')

/** Anybody who knows the address of a Slack or Discord webhook can post there. */
const hooks = /(?<=:\/\/)(hooks\.slack\.com\/services\/|discord(?:app)?\.com\/api\/webhooks\/)[\w/-]{8,}/g

/** The password may contain an `@`. */
const passwordsInUrls = /(:\/\/[^\s/:@"'`<>]*:)[^\s/"'`<>]+@/g
const tokensInUrls = /(?<=:\/\/)(?=[a-zA-Z_.~-]*\d)[\w.~-]{20,}(?=@)/g

/** Values of headers: `authorization: Bearer …`, `"x-api-key":"…"`. */
const credentials =
  /((?<![\w-])(?:proxy-)?authorization\\?["']?[:=] ?\\?["']?(?:bearer|basic|token|digest) )[\w.~+/=:-]{4,}/gi
const keysInHeaders =
  /((?<![\w-])(?:(?:proxy-)?authorization|x-(?:api-key|goog-api-key|auth-token))\\?["']?[:=] ?\\?["']?)(?=[a-zA-Z.~_+/-]*\d)[\w.~+/-]{8,}=*/gi
const bearers = /((?<![\w-])(?:bearer|basic) )(?=[a-zA-Z._~+/=-]*\d)[\w.~+/=-]{16,}/gi

const keyMarker = /-----(BEGIN|END) (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g
/** More than the longest key takes; two markers further apart do not belong together. */
const longestKey = 32_000
/** The lines of a key whose end marker is missing; line ends may be escaped. */
const keyLines = /(?:\s|\\[nr])*(?:[A-Za-z0-9+/=]{32,}(?:\s|\\[nr])*)*/y

/** Masks PEM and PGP blocks, cut-off ones too. A marker alone, as in code, stays. */
function withoutPrivateKeys(text: string): string {
  const markers = Array.from(text.matchAll(keyMarker), (match) => ({
    kind: match[1],
    start: match.index,
    end: match.index + match[0].length,
  }))
  let masked = ''
  let from = 0
  for (const [i, { kind, end }] of markers.entries()) {
    if (kind !== 'BEGIN') continue
    const next = markers[i + 1]
    const isBlock = next?.kind === 'END' && next.start - end <= longestKey
    const until = isBlock ? next.start : endOfLines(text, end)
    if (!/[A-Za-z0-9+/=]{16}/.test(text.slice(end, until))) continue
    masked += `${text.slice(from, end)}[secret]`
    from = until
  }
  return masked + text.slice(from)
}

function endOfLines(text: string, from: number): number {
  keyLines.lastIndex = from
  return from + (keyLines.exec(text)?.[0].length ?? 0)
}
