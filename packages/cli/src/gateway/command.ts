/** `lastgood gateway`: an address for tools that nobody can change. */
import { Command, Option } from 'commander'
import { LastgoodError } from '@lastgood/core'
import { setUp, withStoreOptions, type SetUp, type StoreOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { parseDuration } from '../durations.ts'
import { exampleOf } from '../help-example.ts'
import { portOption } from '../option-values.ts'
import { atSamePlace } from '../same-place.ts'
import { untilStopped } from '../stop.ts'
import { safeLine } from '../text.ts'
import { exposureOf, isLoopback, type Exposure, type ExposureOptions } from '../server/exposure.ts'
import { logFormatOf, logFormats, talkOf, type LogFormat, type Talk, type Told } from '../server/talk.ts'
import type { AwsOptions, Credentials, Gateway } from '@lastgood/gateway'
import { storeLine, type OpenStore } from '../stores.ts'
import { awsCredentials } from './aws-credentials.ts'

export interface GatewayCommandOptions extends StoreOptions {
  upstream?: string[]
  fallback?: string[]
  maxWait?: string
  hold?: string
  stall?: string
  tellFallback?: boolean
  keyEnv?: string
  signAws?: boolean
  log?: LogFormat
}

interface ServeOptions extends GatewayCommandOptions, ExposureOptions {
  port: number
  /** Undefined: on if only this machine can reach it. */
  dashboard?: boolean
}

export function withGatewayOptions(command: Command): Command {
  return command
    .option(
      '--upstream <urls...>',
      'the API to forward to, and others that take over (default: https://api.anthropic.com)',
    )
    .option('--key-env <name>', "the environment variable with the API key that replaces the clients' own")
    .option('--fallback <models...>', 'models that take a turn when the first cannot')
    .option('--tell-fallback', 'say so in the answer when one of them does')
    .option('--max-wait <duration>', 'how long to retry one request before its session is suspended (default: 24h)')
    .option(
      '--stall <duration>',
      'the silence after which an answer is abandoned and requested again (default: 2m, 3m within a stream)',
    )
    .option('--hold <duration>', 'how long to wait for a stream before sending its headers (default: 20s)')
}

export function gatewayCommand(context: CliContext): Command {
  const command = withStoreOptions(new Command('gateway'))
    .summary('run a gateway for tools that you cannot change')
    .description('run a gateway for tools that you cannot change: ANTHROPIC_BASE_URL=http://127.0.0.1:4141 claude')
    .option('--port <number>', 'the port, 0 for any', portOption, 4141)
    .option('--host <address>', 'the address of this machine to listen at', '127.0.0.1')
    .option('--allow-host <names...>', 'host names by which clients may call it')
    .option('--tls-cert <file>', 'the certificate, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--token-file <file>', 'what clients send in x-lastgood-token (LASTGOOD_GATEWAY_TOKEN)')
    .addOption(new Option('--log <format>', 'format of its messages on stderr (LASTGOOD_LOG)').choices(logFormats))
    .addOption(new Option('--sign-aws', 'sign for Bedrock with your AWS credentials').conflicts('keyEnv'))
    .option('--behind-proxy', 'a server in front provides TLS and access control')
    .option('--dashboard', 'the web page at /dashboard/ (default: on loopback)')
    .option('--no-dashboard', 'without the web page')
  return withGatewayOptions(command)
    .addHelpText('after', exampleOf('lastgood gateway', 'ANTHROPIC_BASE_URL=http://127.0.0.1:4141 claude'))
    .action((options: ServeOptions) => runGateway(context, options))
}

async function runGateway(context: CliContext, options: ServeOptions): Promise<void> {
  const exposure = exposureOf(context, options)
  if (options.signAws && !options.upstream) throw signsForNobody()
  const { dashboard = isLoopback(exposure.host) } = options
  await untilStopped(context, async (stop) => {
    const front = dashboard ? (await import('../dashboard/mount.ts')).mountFor(context, options, exposure) : undefined
    try {
      await withGateway(context, options, { ...exposure, port: options.port, front }, async (url, talk) => {
        await front?.tell(url, talk)
        context.stdout.write(`${url}\n`)
        const token = exposure.token === undefined ? '' : 'ANTHROPIC_CUSTOM_HEADERS="x-lastgood-token: …" '
        talk.tell('ready', { event: 'ready', url }, [`use it   ANTHROPIC_BASE_URL=${url} ${token}claude`])
        await stop.asked
      })
    } finally {
      front?.forget()
    }
  })
}

/** What is served on the same port, in front of the gateway. */
export interface Front {
  over(gateway: Gateway, opened: OpenStore, place: SetUp): Pick<Gateway, 'fetch' | 'close'>
}

/** Serves while `work` runs, reports what happens, and sums it up. */
export async function withGateway<T>(
  context: CliContext,
  options: GatewayCommandOptions,
  place: Exposure & { port: number; front?: Front | undefined; told?: Told; cwd?: string },
  work: (url: string, talk: Talk) => Promise<T>,
): Promise<T> {
  const { clock } = context
  const { front } = place
  const talk = await talkOf(logFormatOf(options.log, context.env), context, place.told)
  const set = await setUp(context, options, true)
  const horizon = options.maxWait !== undefined && { horizonMs: parseDuration(options.maxWait, '--max-wait') }
  const policy = { ...set.config()?.config.policy, ...horizon }
  const aws = options.signAws ? await awsOf(context, talk) : undefined
  const opened = await set.choices[0].open()
  // Loaded only here: most commands need no server.
  const [{ createGateway }, { serve }, { upstreamFetch }] = await Promise.all([
    import('@lastgood/gateway'),
    import('../server/serve.ts'),
    import('./upstream-fetch.ts'),
  ])
  const outside = upstreamFetch(context.env)
  try {
    const gateway = createGateway({
      store: opened.store,
      clock,
      policy,
      hosts: place.hosts,
      ...(place.cwd !== undefined && { cwd: place.cwd }),
      fetch: outside.fetch,
      tellsFallback: options.tellFallback ?? false,
      wayOn: (hint) => atSamePlace(hint, context.argv),
      ...talk.heard,
      ...(options.keyEnv !== undefined && { credentials: credentialsIn(context, options.keyEnv) }),
      ...(aws && { aws }),
      ...(place.token !== undefined && { token: place.token }),
      ...(options.upstream !== undefined && { upstream: options.upstream }),
      ...(options.fallback && { fallback: options.fallback.map((model) => ({ model })) }),
      ...(options.stall !== undefined && { limits: limitsOf(options.stall) }),
      ...(options.hold !== undefined && { holdMs: parseDuration(options.hold, '--hold') }),
    })
    const served = await serve(front?.over(gateway, opened, set) ?? gateway, place, place.port)
    if (new URL(gateway.upstream).port === new URL(served.url).port && isLoopback(new URL(gateway.upstream).hostname)) {
      await served.close()
      throw itself(served.url)
    }
    const { url } = served
    const { store, source } = opened
    talk.tell('listening', { event: 'listening', url, upstream: gateway.upstream, store: store.location, source }, [
      `gateway  ${url} for ${safeLine(gateway.upstream)}`,
      storeLine(store.location, source),
    ])
    try {
      return await work(url, talk)
    } finally {
      await served.close()
      talk.sumUp()
    }
  } finally {
    await outside.close()
    await opened.close()
  }
}

function credentialsIn({ env }: CliContext, name: string): () => Credentials {
  const key = env[name]?.trim()
  const bad = (what: string, hint: string) =>
    new LastgoodError('bad-option', `--key-env ${safeLine(name)} names a variable ${what}`, {
      hint,
      details: { field: '--key-env' },
    })
  if (!key) {
    throw bad('that is not set', 'give it the name of the variable, not the key: --key-env ANTHROPIC_API_KEY')
  }
  // A value that no header can have would be quoted by the error that refuses it.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw bad('whose value is not a key', `set it to the key alone, on one line: export ${safeLine(name)}='sk-ant-…'`)
  }
  return () => ({ 'x-api-key': key })
}

/** Errors: `bad-option` if there are no credentials now: then nothing is started. */
async function awsOf(context: CliContext, talk: Talk): Promise<AwsOptions> {
  const { env } = context
  const credentials = awsCredentials(context, ({ message, hint }) =>
    talk.tell('credentials', { event: 'credentials', message, hint }, [safeLine(`${message}; ${hint}`)]),
  )
  await credentials()
  return { credentials, region: env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] }
}

function limitsOf(stall: string): { firstEventMs: number; betweenEventsMs: number } {
  const stallMs = parseDuration(stall, '--stall')
  if (stallMs >= 1_000) return { firstEventMs: stallMs, betweenEventsMs: stallMs }
  throw new LastgoodError('bad-option', `--stall ${stall} is too short for any answer to arrive`, {
    hint: 'give it at least 1s, or leave it out: 2m, 3m within a stream',
    details: { field: '--stall' },
  })
}

function signsForNobody(): LastgoodError {
  return new LastgoodError('bad-option', '--sign-aws is given, and no upstream to sign for', {
    hint: 'name it: --upstream https://bedrock-runtime.us-east-1.amazonaws.com',
    details: { field: '--upstream' },
  })
}

function itself(url: string): LastgoodError {
  return new LastgoodError('bad-option', `--upstream ${url} is this gateway itself`, {
    hint: 'leave --upstream out, or name the API: --upstream https://api.anthropic.com',
    details: { field: '--upstream' },
  })
}
