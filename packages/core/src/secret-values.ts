/**
 * Values that are secret by the name they are assigned to: `DB_PASSWORD=…`, `"client_secret": "…"`. Pure, linear; part
 * of `secrets.ts`, which has the invariants.
 *
 * 1. A name in capitals is a setting: its value is masked unless it only refers to another place.
 * 2. Any other name may be code: only a literal that can hardly be anything else is masked.
 */

const names =
  'token|secret|password|passwd|passphrase|(?:api|access|private|secret|account|auth|signing|encryption)[_-]?key'

/**
 * A name that begins a word and ends in one of `names`, an assignment, and the value: in quotes up to the next quote,
 * otherwise the beginning of a word. The value needs no end, so that anything after such a name matches at once.
 */
const assigned = new RegExp(
  String.raw`(?<![\w-])([\w-]{0,60}?(?:${names}))\\?["']?(\s?(?:[:=]|:=|=>)\s?)(?:\\?["']((?:[^"'\\\n]|\\[^"'\n])+)|([^\s"'\`\\,;&|<>(){}[\]]{1,512}))`,
  'dgi',
)
const secretName = new RegExp(`(?:${names})$`, 'i')
const restOfWord = /[^\s"'`\\,;&|<>(){}[\]]*/y

export function withoutSecretValues(text: string): string {
  let masked = ''
  let from = 0
  assigned.lastIndex = 0
  for (let match = assigned.exec(text); match; match = assigned.exec(text)) {
    const [, name = '', equals = '', quoted, word = ''] = match
    const [start, end] = match.indices?.[quoted === undefined ? 4 : 3] ?? [0, 0]
    // A value that is not secret may contain one that is.
    assigned.lastIndex = start
    if (!(quoted === undefined ? isSecretWord(name, equals, word, text[end]) : isSecretText(name, equals, quoted)))
      continue
    restOfWord.lastIndex = end
    masked += `${text.slice(from, start)}[secret]`
    from = quoted === undefined ? end + (restOfWord.exec(text)?.[0].length ?? 0) : end
    assigned.lastIndex = from
  }
  return masked + text.slice(from)
}

/** Whether a field of this name holds a secret, as far as a name tells. */
export const isSecretName = (name: string): boolean => secretName.test(name)

/** Whether `text` is secret by its field's name. */
export function isSecretField(name: string, text: string): boolean {
  return isSecretName(name) && isSecretText(name, ':', text)
}

/** A value in quotes. */
function isSecretText(name: string, equals: string, text: string): boolean {
  if (pointsElsewhere.test(text) || isMasked(text)) return false
  // A constant of a program: `START_TOKEN = 'start'`.
  if (shouts(name) && /token$/i.test(name) && /^\s.*\s$/.test(equals)) return /\d/.test(text)
  if (shouts(name)) return text.length >= 4
  if (/\s/.test(text)) return equals.trim() === '=' && /\d/.test(text)
  // `token: 'identifier'` is a parser's token.
  return /token$/i.test(name) ? text.length >= 16 && /\d/.test(text) : text.length >= 6
}

/** A value without quotes; `next` is the character after it. */
function isSecretWord(name: string, equals: string, word: string, next: string | undefined): boolean {
  if (pointsElsewhere.test(word) || isMasked(word) || next === '(' || next === '[') return false
  if (shouts(name)) return word.length >= 4
  if (ofAws.test(name) && word.length >= 16 && /\d/.test(word) && !isField.test(word)) return true
  // Spaces on both sides mean code; so do a type, `token: Uint8Array`, and a field, `a.b2`.
  if (/^\s.*\s$/.test(equals) || /^[A-Z][A-Za-z0-9]*$/.test(word) || isField.test(word)) return false
  return word.length >= 6 && /\d/.test(word) && /[a-z]/i.test(word)
}

/**
 * As in the AWS credentials file, with spaces:
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
 */
const ofAws = /^aws_(?:secret_access_key|session_token)$/
const isField = /^[a-z_]\w*\.[a-z_]/i

/** `API_KEY` and `PASSWORD`, but not `apiKey`. */
const shouts = (name: string): boolean => /^[A-Z0-9_-]+$/.test(name)
const isMasked = (text: string): boolean => text.includes('[secret]')

/** A reference, a placeholder, or a literal that is not a string. */
const pointsElsewhere =
  /^(?:[$<{%*.…]|\[|(?:process|os|env|config|secrets|vars|settings|self|this)\.|(?:true|false|null|none|nil|undefined|string|number|boolean|str|bytes|bool)$|x{3,}|your[_-])/i
