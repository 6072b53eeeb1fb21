/** `lastgood prune --damaged <session>`: when its time is over cannot be read, so a person decides. */
import { LastgoodError, isLastgoodError, readHistory, removeSession, sessionNotFound, type Store } from '@lastgood/core'
import { confirmed, type Confirmation } from '../confirm.ts'
import type { CliContext } from '../context.ts'
import { jsonDocument, safeLine } from '../text.ts'

export async function pruneDamaged(
  context: CliContext,
  store: Store,
  sessionId: string,
  options: Confirmation & { dryRun?: boolean },
): Promise<void> {
  const { stdout, stderr, clock } = context
  const damage = await damageOf(store, sessionId)
  if (!options.json) {
    stdout.write(`remove  ${safeLine(sessionId)}  ${safeLine(damage.message)}\n`)
    stderr.write('what is left of it is removed too; lastgood show has the part before the damage\n')
  }
  const isWanted = !options.dryRun
  if (isWanted && !(await confirmed(context, 'Remove this session for good?', options))) return
  if (isWanted) await removeSession(store, sessionId, { clock, damaged: true })
  if (options.json) {
    const document = {
      schema: 'lastgood.prune/v1',
      store: store.location,
      dryRun: !isWanted,
      expired: [],
      kept: [],
      others: 0,
      removed: isWanted ? [sessionId] : [],
      failed: [],
    }
    stdout.write(jsonDocument(document))
  } else if (isWanted) stderr.write('✔ 1 removed\n')
}

/** Why it cannot be read, at its head or anywhere else. Throws if it can, or if there is no such session. */
async function damageOf(store: Store, sessionId: string): Promise<LastgoodError> {
  let found
  try {
    found = await store.summary(sessionId)
    for await (const _ of readHistory(store, sessionId)) continue
  } catch (error) {
    if (isLastgoodError(error, 'journal-corrupt')) return error
    throw error
  }
  if (!found) throw sessionNotFound(sessionId, store)
  throw new LastgoodError('bad-option', `session ${sessionId} can be read: --damaged is for one that cannot`, {
    hint: `look at it: lastgood show ${sessionId}`,
    details: { sessionId },
  })
}
