/**
 * The address of a store as it may be shown. People write passwords into addresses without encoding them, so nothing
 * here trusts that `@`, `/`, `?` and `#` stand where the URL grammar puts them.
 *
 * 1. Everything up to the last `@` is user and password.
 * 2. Everything from the first option with a user or a password on is left out; if there is an `@` as well, the parts
 *    cannot be told apart, and everything but the scheme is left out.
 */

/** Folders may have an `@` in their names. */
const scheme = /^(?!file:)[a-z][a-z0-9+.-]+:\/*/i
const credentialOption = /[?&#][a-z]*(?:user|pass)[a-z]*=/i

/** Without user and password. */
export function shownAddress(address: string): string {
  const [begin = ''] = scheme.exec(address) ?? []
  if (begin === '') return address
  const rest = address.slice(begin.length)
  const host = rest.lastIndexOf('@') + 1
  const option = rest.search(credentialOption)
  if (option < 0) return begin + rest.slice(host)
  return host > 0 ? begin : begin + rest.slice(0, option)
}
