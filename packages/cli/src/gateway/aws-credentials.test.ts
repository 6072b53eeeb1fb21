import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ManualClock } from '@lastgood/core/testing'
import { expect, test } from 'vitest'
import { newFolder } from '../../test/context.ts'
import { awsCredentials } from './aws-credentials.ts'

const startedAt = Date.parse('2026-12-01T08:00:00Z')

/** Credentials of an `aws` that runs `body`, with `n` as the number of the call; `told`: what was said meanwhile. */
function stage(body: string, env: Record<string, string> = {}) {
  const folder = newFolder()
  const calls = join(folder, 'calls')
  const count = `const { appendFileSync, readFileSync } = require('node:fs'); appendFileSync('${calls}', '.'); const n = readFileSync('${calls}').length`
  writeFileSync(join(folder, 'aws'), `#!${process.execPath}\n${count}\n${body}\n`, { mode: 0o755 })
  const clock = new ManualClock({ startAt: startedAt })
  const told: string[] = []
  const place = { env: { PATH: folder, ...env }, cwd: folder, clock }
  const credentials = awsCredentials(place, ({ message }) => told.push(message))
  return { credentials, clock, told, calls: () => readFileSync(calls, 'utf8').length }
}

const gives = (rest = '') => `console.log(JSON.stringify({ AccessKeyId: 'A' + n, SecretAccessKey: 's', ${rest} }))`
const untilNine = gives("SessionToken: 't', Expiration: '2026-12-01T09:00:00+00:00'")

test('those of the environment count where no profile is named; one that is goes before them', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key', AWS_SESSION_TOKEN: 'token' }
  const { credentials } = stage('process.exit(1)', env)
  expect(await credentials()).toEqual({ accessKeyId: 'id', secretAccessKey: 'key', sessionToken: 'token' })
  const asked = "console.log(JSON.stringify({ AccessKeyId: process.argv.slice(2).join(' '), SecretAccessKey: 's' }))"
  const ofProfile = stage(asked, { ...env, AWS_PROFILE: 'my dev' })
  expect(await ofProfile.credentials()).toMatchObject({ accessKeyId: 'configure export-credentials --profile my dev' })
})

test('the AWS CLI is asked once for as long as they last, also by many requests at once', async () => {
  const { credentials, clock, calls } = stage(untilNine)
  const [one, other] = await Promise.all([credentials(), credentials()])
  expect(one).toMatchObject({ accessKeyId: 'A1', secretAccessKey: 's', sessionToken: 't' })
  expect(other).toBe(one)
  await clock.advance(58 * 60_000)
  expect(await credentials()).toBe(one)
  await clock.advance(60_000)
  expect(await credentials()).toMatchObject({ accessKeyId: 'A2' })
  expect(calls()).toBe(2)
})

test('those without an end last until Amazon refuses them', async () => {
  const { credentials, clock } = stage(gives())
  await credentials()
  await clock.advance(1e10)
  expect(await credentials()).toMatchObject({ accessKeyId: 'A1', sessionToken: undefined })
  expect(await credentials({ forceRefresh: true })).toMatchObject({ accessKeyId: 'A2' })
  expect(await credentials()).toMatchObject({ accessKeyId: 'A2' })
})

test('the last ones stay where the AWS CLI has no new ones, which is told', async () => {
  const { credentials, clock, told } = stage(
    `if (n === 2) { console.error('\\nToken has expired'); process.exit(255) }\n${untilNine}`,
  )
  const first = await credentials()
  await clock.advance(3_600_000)
  expect(await credentials()).toBe(first)
  expect(told).toEqual(['no AWS credentials to sign with: Token has expired'])
  expect(await credentials()).toMatchObject({ accessKeyId: 'A3' })
})

test.each([
  [
    "console.error('\\nPartial credentials found in env, missing: AWS_SECRET_ACCESS_KEY')",
    'missing: AWS_SECRET_ACCESS_KEY',
  ],
  ["console.error('Enter MFA code for arn:aws:iam::1:mfa/me: ')", 'Enter MFA code', 'aws sts get-caller-identity'],
  ["console.log('{}')", 'the AWS CLI ended with 0, and gave none'],
  ["process.kill(process.pid, 'SIGKILL')", 'the AWS CLI ended with no code, and gave none'],
])('an AWS CLI that gives none the first time is an error: %s', async (body, why, next = 'aws sso login') => {
  const { credentials, told } = stage(body, { AWS_PROFILE: 'my dev' })
  await expect(credentials()).rejects.toMatchObject({
    code: 'bad-option',
    message: expect.stringContaining(why),
    hint: expect.stringContaining(`${next} --profile 'my dev'`),
  })
  expect(told).toEqual([])
})
