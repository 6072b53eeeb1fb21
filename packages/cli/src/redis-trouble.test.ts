import { expect, test } from 'vitest'
import { redisTrouble } from './redis-trouble.ts'

test.each([
  ['unable to verify the first certificate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', /NODE_EXTRA_CA_CERTS=<file>/],
  ['self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT', /NODE_EXTRA_CA_CERTS=<file>/],
  ['self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN', /NODE_EXTRA_CA_CERTS=<file>/],
  ['unable to get local issuer certificate', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /NODE_EXTRA_CA_CERTS=<file>/],
  ['certificate has expired', 'CERT_HAS_EXPIRED', /renew it .* -connect '\[::1\]:6380' .* -dates$/],
  ['certificate is not yet valid', 'CERT_NOT_YET_VALID', /set the clock right/],
  [
    "Hostname/IP does not match certificate's altnames: IP: 10.0.0.1 is not in the cert's list: ",
    'ERR_TLS_CERT_ALTNAME_INVALID',
    /connect to a host that it names/,
  ],
])('of the certificate, told with what mends it: %s', (message, code, hint) => {
  const trouble = redisTrouble(Object.assign(new Error(message), { code }), 'rediss://[::1]:6380/0')
  expect(trouble.what).toMatch(/^its certificate /)
  expect(trouble.hint).toMatch(hint)
})

test.each([
  "NOPERM User lastgood has no permissions to run the 'select' command",
  "NOPERM this user has no permissions to run the 'select' command or its subcommand",
  'ERR DB index is out of range',
])('of the database: %s', (message) => {
  const told = { what: 'the database was refused', hint: expect.stringContaining('+select') }
  expect(redisTrouble(new Error(message), 'redis://h:1/1')).toEqual(told)
})

test.each([
  ['connect ECONNREFUSED 127.0.0.1:1', /^check that the server is up: redis-cli -u rediss:\/\/h:1\/0 ping/],
  ["NOPERM this user has no permissions to run the 'get' command", /^check the user and the password/],
  ['WRONGPASS invalid username-password pair', /^check the user and the password/],
])('of something else: %s', (message, hint) => {
  expect(redisTrouble(new Error(message), 'rediss://h:1/0')).toEqual({ hint: expect.stringMatching(hint) })
})
