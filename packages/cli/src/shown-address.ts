/**
 * The address of a store as it may be shown. People write passwords into addresses without encoding them, so nothing
 * here trusts that `@`, `/`, `?` and `#` stand where the grammar of URLs has them.
 *
 * 1. All up to the last `@` is user and password.
 * 2. From the first option that has a user or a password, all that follows is left out; where that option and an `@`
 *    leave it open what is what, all but the scheme is.
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
