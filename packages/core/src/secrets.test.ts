import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withoutSecrets, withoutSecretsInside } from './secrets.ts'

// Written in halves, so that no scanner of secrets takes this file for a leak.
const sk = (rest: string) => `sk-${rest}`
const ghp = 'ghp'
const gho = 'gho'
const pat = 'pat'
const xox = 'xox'
const za = 'za'
const npm = 'npm'
const live = '_live_'
const hook = 'T00000000/B00000000'
const alnum = 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0dF3gH6'
const hex = '0123456789abcdef0123456789abcdef'
const aws = (kind: string) => `${kind}IOSFODNN7EXAMPLE`
const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${alnum}`
const pem = (kind: string, lines = `${alnum}${alnum}\n${alnum}${alnum}\n`) =>
  `-----BEGIN ${kind}-----\n${lines}-----END ${kind}-----`

describe('masked, with what tells the kind', () => {
  test.each<[string, string]>([
    [`key ${sk(`ant-api03-${alnum}`)} given`, 'key sk-ant-…[secret] given'],
    [`"${sk(`proj-${alnum}`)}"`, '"sk-…[secret]"'],
    [sk(hex), 'sk-…[secret]'],
    [`id ${aws('AKIA')}, ${aws('ASIA')}.`, 'id AKIA…[secret], ASIA…[secret].'],
    [`${ghp}_${alnum} ${gho}_${alnum}`, 'ghp_…[secret] gho_…[secret]'],
    [`github_${pat}_11AAAAAAA0_${alnum}`, 'github_pat_…[secret]'],
    [`gl${pat}-${alnum.slice(0, 20)}`, 'glpat-…[secret]'],
    [`${xox}b-123456789012-${alnum}`, 'xoxb-…[secret]'],
    [`?key=AI${za}${alnum.slice(0, 35)}&x=1`, '?key=AIza…[secret]&x=1'],
    [`${npm}_${alnum}`, 'npm_…[secret]'],
    [`sk${live}${alnum}`, 'sk_live_…[secret]'],
    [`session ${jwt} expired`, 'session eyJ…[secret] expired'],
    [`https://hooks.slack.com/services/${hook}/XXXXXXXX`, 'https://hooks.slack.com/services/…[secret]'],
    ['redis://app:hunter2@10.0.0.1:6379/0', 'redis://app:[secret]@10.0.0.1:6379/0'],
    ['redis://:p@ss:word@host', 'redis://:[secret]@host'],
    [`https://${hex}@host/repo.git`, 'https://[secret]@host/repo.git'],
    [`https://x-access-token:${ghp}_${alnum}@github.com/a/b`, 'https://x-access-token:[secret]@github.com/a/b'],
    ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer [secret]'],
    [`{"authorization":"Basic dXNlcjpwYXNz"}`, '{"authorization":"Basic [secret]"}'],
    [`-H 'x-api-key: ${hex}'`, "-H 'x-api-key: [secret]'"],
    [`sent Bearer ${hex} twice`, 'sent Bearer [secret] twice'],
    ['DB_PASSWORD=hunter2', 'DB_PASSWORD=[secret]'],
    ["export STRIPE_SECRET='correct horse battery'", "export STRIPE_SECRET='[secret]'"],
    ['MY_API_KEY: abcd1234 # yaml', 'MY_API_KEY: [secret] # yaml'],
    ['GITLAB_TOKEN="a" NPM_TOKEN=abcdef', 'GITLAB_TOKEN="a" NPM_TOKEN=[secret]'],
    ['aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"', 'aws_secret_access_key = "[secret]"'],
    ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'aws_secret_access_key = [secret]'],
    [`aws_session_token = IQoJb3JpZ2luX2Vj${alnum}==\n`, 'aws_session_token = [secret]\n'],
    ['Proxy-Authorization: Basic dXNlcjpwYXNz', 'Proxy-Authorization: Basic [secret]'],
    [`proxy-authorization: ${hex}`, 'proxy-authorization: [secret]'],
    [`AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`, 'AWS_SECRET_ACCESS_KEY=[secret]'],
    ['{"password": "hunter2", "n": 1}', '{"password": "[secret]", "n": 1}'],
    ['"{\\"client_secret\\":\\"s3cr3ts3cr3t\\"}"', '"{\\"client_secret\\":\\"[secret]\\"}"'],
    [`const apiKey = '${hex}'`, "const apiKey = '[secret]'"],
    ['/login?user=a&access_token=abc123def456&x=1', '/login?user=a&access_token=[secret]&x=1'],
    ['password: hunter2', 'password: [secret]'],
    ['env: DB_PASSWORD=hunter2', 'env: DB_PASSWORD=[secret]'],
    ['secret: "in DB_PASSWORD=hunter2"', 'secret: "in DB_PASSWORD=[secret]"'],
    [`ANTHROPIC_API_KEY=${sk(`ant-api03-${alnum}`)}`, 'ANTHROPIC_API_KEY=sk-ant-…[secret]'],
  ])('%s', (text, masked) => {
    expect(withoutSecrets(text)).toBe(masked)
    expect(withoutSecrets(masked)).toBe(masked)
  })

  test.each(['RSA PRIVATE KEY', 'PRIVATE KEY', 'OPENSSH PRIVATE KEY', 'PGP PRIVATE KEY BLOCK'])(
    'a block: %s',
    (kind) => {
      expect(withoutSecrets(`a ${pem(kind)} b`)).toBe(`a -----BEGIN ${kind}-----[secret]-----END ${kind}----- b`)
      expect(withoutSecrets(JSON.stringify(pem(kind)))).toBe(`"-----BEGIN ${kind}-----[secret]-----END ${kind}-----"`)
    },
  )

  test('a private key that was cut off, and the next one', () => {
    const cut = pem('PRIVATE KEY').replace(/-----END[\s\S]*/, '')
    const masked = withoutSecrets(`${cut}\nand so on, in prose.\n${pem('PRIVATE KEY')}`)
    expect(masked).toBe(
      '-----BEGIN PRIVATE KEY-----[secret]and so on, in prose.\n-----BEGIN PRIVATE KEY-----[secret]-----END PRIVATE KEY-----',
    )
  })
})

describe('left as it is', () => {
  test.each([
    'commit d478cb622093a8e3627215c6b51c1d8a460163f7',
    'id 550e8400-e29b-41d4-a716-446655440000',
    `sha256:${hex}${hex}`,
    `"data": "${Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 7919) % 256)).toString('base64')}"`,
    '<div class="sk-estimator-doc-link-with-a-name sk-toggleable__content">',
    'a task-force-of-twenty-3-people, risk-assessment-report-2026',
    'const token = await fetchToken(url)',
    'const password = getPassword1()',
    'function login(user: string, password: string, token: Uint8Array)',
    '{ "max_tokens": 4096, "input_tokens": 1234567, "stop_reason": null }',
    '{ token: "identifier", secret: null, password: true }',
    'TOKEN=$TOKEN PASSWORD=${DB_PASSWORD} API_KEY=<your key> SECRET={{ vault }}',
    'API_KEY=process.env.API_KEY',
    "password: 'Enter your password'",
    'password = settings.password1',
    'next_token = tokens[12345]',
    'aws_session_token = credentials.session_token_2, aws_secret_access_key = secret_access_key',
    'aws_secret_access_key = readSecretFromVault2(path)',
    'see http://localhost:8080/path and mail me@example.com',
    'git@github.com:owner/repo.git ssh://git@github.com/owner/repo.git',
    'Bearer authentication required',
    'const end = "-----END PRIVATE KEY-----"; if (text.startsWith("-----BEGIN PRIVATE KEY-----")) read(text)',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    "lexer.START_TAG_TOKEN = 'START_TAG_TOKEN'",
    'function send(authorization: string, headers: { "x-api-key": config.apiKey, authorization: `Bearer ${token}` })',
    'eyJust.a.name and import eyJ from "./eyJ.ts"',
  ])('%s', (text) => {
    expect(withoutSecrets(text)).toBe(text)
  })

  test.each([
    'journal/journal.ts',
    'session/session.ts',
    'faults/classify.ts',
    'machine/machine.ts',
    'wire/exchange.ts',
  ])('the source of %s', (file) => {
    const source = readFileSync(new URL(file, import.meta.url), 'utf8')
    expect(withoutSecrets(source)).toBe(source)
  })
})

const shapes = [
  sk('ant-'),
  sk(''),
  'ghp_',
  'eyJ',
  'Bearer ',
  'authorization: ',
  'x-api-key:',
  '://',
  ':',
  '@',
  'TOKEN=',
  'password: "',
  'secret=\\"',
  '-----BEGIN PRIVATE KEY-----',
  '-----END PRIVATE KEY-----',
  alnum,
  hex,
  '[secret]',
  '…',
  ' ',
  '\n',
  '.',
  "'",
  '$',
]

test('inside of data a value is masked by the name of its field too, and what is no secret stays', () => {
  const value = {
    env: { DB_PASSWORD: 'hunter2-hunter2', API_KEY: ['abcd1234efgh5678'], PORT: '5432', client_secret: '$SECRET' },
    headers: [{ name: 'authorization', value: 'Bearer abcdefgh12345678' }],
    next_token: 'identifier',
    max_tokens: 5,
    note: null,
  }
  expect(withoutSecretsInside(value)).toEqual({
    env: { DB_PASSWORD: '[secret]', API_KEY: ['[secret]'], PORT: '5432', client_secret: '$SECRET' },
    headers: [{ name: 'authorization', value: 'Bearer [secret]' }],
    next_token: 'identifier',
    max_tokens: 5,
    note: null,
  })
})

test('masking twice is masking once, whatever the text is made of', () => {
  const text = fc.array(fc.oneof(fc.constantFrom(...shapes), fc.string({ maxLength: 6 })), { maxLength: 14 })
  fc.assert(
    fc.property(text, (parts) => {
      const once = withoutSecrets(parts.join(''))
      expect(withoutSecrets(once)).toBe(once)
    }),
    { numRuns: 5_000 },
  )
})

test('a megabyte of any beginning of a secret ends: time does not grow with its square', { timeout: 120_000 }, () => {
  const words = 'a - _ A a_ a= eyJaaaaaaaa. .eyJ -eyJ ://a: ://a:@ sk-a xoxb-a ya29. token= token:" token:\' token:\\'
  const units = [...shapes, ...words.split(' '), 'x-api-key=', 'x-api-key:', 'Bearer=', 'basic ', 'token=[secret]']
  // Squared, a megabyte would take hours.
  const mask = (unit: string) => withoutSecrets(unit.repeat(Math.ceil(1_000_000 / unit.length))).length
  for (const unit of units) {
    expect(runInNewContext('mask(unit)', { mask, unit }, { timeout: 20_000 })).toBeGreaterThan(0)
  }
})
