import fc from 'fast-check'
import { expect, it } from 'vitest'
import { shownAddress } from './shown-address.ts'

it('no piece of a password is shown, whatever it has in it, encoded or not', () => {
  // Nothing that the rest of an address has too.
  const password = fc.stringMatching(/^[A-Z12458@/:?#%&=+$ .!*()~^-]{4,24}$/)
  const place = fc.constantFrom('host:6379', 'host:6379/0', '[::1]:6379', 'host', 'host/3?family=six')
  const scheme = fc.constantFrom('redis://', 'rediss://', 'redis:', 'REDIS://', 'valkey+tls://')
  fc.assert(
    fc.property(scheme, fc.constantFrom('', 'kim'), password, place, (begin, user, secret, rest) => {
      const shown = shownAddress(`${begin}${user}:${secret}@${rest}`)
      for (let i = 0; i + 4 <= secret.length; i++) expect(shown).not.toContain(secret.slice(i, i + 4))
      expect(shown.startsWith(begin)).toBe(true)
    }),
  )
})

it.each([
  ['redis://kim:a@b/c@host:6379/0', 'redis://host:6379/0'],
  ['redis://host:6379/0?family=6', 'redis://host:6379/0?family=6'],
  ['redis://host/0?family=6&password=s3cret&x=1', 'redis://host/0?family=6'],
  ['redis://host/0?password=s3@cret', 'redis://'],
  ['redis://kim:a?password=b@host', 'redis://'],
  ['file:///home/ada/@scope/state', 'file:///home/ada/@scope/state'],
  ['./a@b:c@d', './a@b:c@d'],
])('%s is shown as %s', (address, shown) => {
  expect(shownAddress(address)).toBe(shown)
})
