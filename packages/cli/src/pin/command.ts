/** `lastgood pin` and `lastgood unpin`: whether prune may take a session, and when. */
import { Command } from 'commander'
import { expiryOf, visitSession, type Retention } from '@lastgood/core'
import { sessionWords, setUp, withCommonOptions, type CommonOptions } from '../common-options.ts'
import type { CliContext } from '../context.ts'
import { isoOrNull } from '../durations.ts'
import { exampleOf } from '../help-example.ts'
import { durationOption } from '../option-values.ts'
import { expiryText } from '../sessions/expiry.ts'
import { withSession } from '../sessions/locate.ts'
import { jsonDocument, safeLine } from '../text.ts'

interface UnpinOptions extends CommonOptions {
  ttl?: number | 'never'
}

export function pinCommand(context: CliContext): Command {
  return withCommonOptions(new Command('pin'))
    .description('keep a session: prune never removes it')
    .argument('<session>', sessionWords)
    .addHelpText('after', exampleOf('lastgood pin fix-auth'))
    .action((argument: string, options: CommonOptions) => retain(context, argument, options, { pinned: true }))
}

export function unpinCommand(context: CliContext): Command {
  return withCommonOptions(new Command('unpin'))
    .description('let prune remove a session once it expires')
    .argument('<session>', sessionWords)
    .option('--ttl <duration>', 'this long after its last entry: 12h, 30d; or never', ttlOption)
    .addHelpText('after', exampleOf('lastgood unpin fix-auth --ttl 30d'))
    .action((argument: string, { ttl: time, ...options }: UnpinOptions) =>
      retain(context, argument, options, {
        pinned: false,
        ...(time !== undefined && { ttlMs: time === 'never' ? null : time }),
      }),
    )
}

async function retain(
  context: CliContext,
  argument: string,
  options: CommonOptions,
  retention: Retention,
): Promise<void> {
  const place = await setUp(context, options, false)
  await withSession(context, place, argument, async (store, row) => {
    const { sessionId } = row.head
    await visitSession(sessionId, { store, clock: context.clock }, (session) => session.retain(retention))
    const head = (await store.summary(sessionId))?.head ?? row.head
    const expiresAt = expiryOf(head)
    if (options.json) {
      const kept = { pinned: head.pinned ?? false, ttlMs: head.ttlMs ?? null }
      const document = {
        schema: 'lastgood.retention/v1',
        store: store.location,
        sessionId,
        ...kept,
        expiresAt: isoOrNull(expiresAt),
      }
      context.stdout.write(jsonDocument(document))
    } else
      context.stderr.write(
        `✔ ${safeLine(sessionId)}: ${expiryText(head, context.clock.now()) || 'kept until pruned'}\n`,
      )
  })
}

const timeOption = durationOption('write 12h, 30d, or never.')
const ttlOption = (text: string): number | 'never' => (text === 'never' ? text : timeOption(text))
