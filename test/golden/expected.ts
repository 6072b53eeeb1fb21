/** What a journal folds to, as JSON: written beside each golden journal by the version that wrote it. */
import type { Folded } from '@lastgood/core'

export function expectedOf({ snapshot, transcript }: Pick<Folded, 'snapshot' | 'transcript'>): object {
  const { envelope, envelopeAgent, agent, turns, edits, standing, unanswered, accepted, isBilled } = transcript
  return JSON.parse(
    JSON.stringify({
      state: snapshot.value,
      context: snapshot.context,
      conversation: transcript.conversation(),
      turns,
      envelope,
      envelopeAgent,
      agent,
      edits,
      standing,
      unanswered,
      accepted,
      isBilled,
    }),
  ) as object
}
