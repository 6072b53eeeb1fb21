/**
 * The AWS credentials of this machine: those in the environment, or those that the AWS CLI finds, which knows profiles,
 * SSO, roles and Amazon's own machines. https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html
 *
 * 1. As for Claude Code, `AWS_PROFILE` counts before keys in the environment. The AWS CLI runs only if it has to.
 * 2. If it finds none after there were some, those are used to their end: what Amazon says of them is waited out.
 * 3. It never asks anything: the terminal belongs to the command that is run.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { isRecord, LastgoodError, parsedJson, shellWord, withoutSecrets } from '@lastgood/core'
import type { AwsCredentials, AwsOptions } from '@lastgood/gateway'
import type { CliContext } from '../context.ts'

type Place = Pick<CliContext, 'env' | 'cwd' | 'clock'>

interface Found extends AwsCredentials {
  /** Epoch ms. */
  readonly endsAt: number
}

/** `onMissing`: there are no new ones, and the old ones have ended. */
export function awsCredentials(place: Place, onMissing: (error: LastgoodError) => void): AwsOptions['credentials'] {
  const { env, clock } = place
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env
  if (!env['AWS_PROFILE'] && accessKeyId && secretAccessKey)
    return () => ({ accessKeyId, secretAccessKey, sessionToken })
  let found: Found | undefined
  let asking: Promise<Found> | undefined
  const ask = async (): Promise<Found> => {
    try {
      found = await askCli(place)
      return found
    } catch (error) {
      if (!found || !(error instanceof LastgoodError)) throw error
      onMissing(error)
      return found
    } finally {
      asking = undefined
    }
  }
  return ({ forceRefresh = false } = {}) => {
    const isGood = found && !forceRefresh && clock.now() < found.endsAt - spareMs
    return found && isGood ? found : (asking ??= ask())
  }
}

/** An attempt is signed at its beginning, and clocks differ. */
const spareMs = 60_000
/** A sign-in by network takes seconds. */
const patienceMs = 30_000

async function askCli({ env, cwd }: Place): Promise<Found> {
  const { AWS_PROFILE: profile } = env
  // Only a profile that is named here goes before keys in the environment.
  const named = profile ? ['--profile', profile] : []
  const child = spawn('aws', ['configure', 'export-credentials', ...named], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patienceMs,
    windowsHide: true,
    // Without a terminal on which it would ask for a code. On Windows it would get a window of its own.
    detached: process.platform !== 'win32',
  })
  const ended = once(child, 'close') as Promise<[code: number | null]>
  try {
    const [[code], said, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
    const found = code === 0 ? foundIn(said) : undefined
    if (found) return found
    throw noCredentials(env, reasonIn(complaint) || `the AWS CLI ended with ${code ?? 'no code'}, and gave none`)
  } catch (error) {
    if (error instanceof LastgoodError) throw error
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT' ? 'there is no AWS CLI (aws) that could find them' : `the AWS CLI (aws) fails: ${code}`
    throw noCredentials(env, why)
  }
}

function foundIn(said: string): Found | undefined {
  const it = parsedJson(said)
  if (!isRecord(it)) return undefined
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: end } = it
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string') return undefined
  const endsAt = typeof end === 'string' ? Date.parse(end) : Infinity
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: typeof sessionToken === 'string' ? sessionToken : undefined,
    endsAt: Number.isNaN(endsAt) ? Infinity : endsAt,
  }
}

/** Its last line says what is wrong. */
const reasonIn = (complaint: string): string => withoutSecrets(complaint).trim().split('\n').at(-1)?.trim() ?? ''

function noCredentials({ AWS_PROFILE: profile }: Place['env'], why: string): LastgoodError {
  const [of, alone] = profile ? [` --profile ${shellWord(profile)}`, ' without AWS_PROFILE'] : ['', '']
  // It can ask for a code only at a terminal, and remembers the answer.
  const signIn = /\bMFA\b/.test(why) ? 'aws sts get-caller-identity' : 'aws sso login'
  return new LastgoodError('bad-option', `no AWS credentials to sign with: ${why}`, {
    hint: `sign in (${signIn}${of}), set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY${alone}, or a key of Bedrock's: AWS_BEARER_TOKEN_BEDROCK`,
    details: { field: 'AWS_ACCESS_KEY_ID' },
  })
}
