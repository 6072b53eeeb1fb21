/** Checks of what lastgood does besides waiting: fall back to another model, mend a request, ask the status page. */
import { blocksOf, foldJournal } from '@lastgood/core'
import { differs, withLab, type Check, type Complaint } from './check.ts'
import type { LabRequest } from './evidence.ts'
import { ofType } from './facts.ts'
import { answerersIn, isRefused, messagesIn } from './received.ts'
import { outageOf } from './status-page.ts'

export const healingChecks: readonly Check[] = [
  withLab('the other model took one turn while the first was down, and the first took the next', (lab, evidence) => {
    const { requests, models } = lab
    const [first, other] = models
    const wanted = evidence.prompts.map((_prompt, turn) => (turn === 0 ? `${first} then ${other}` : first))
    const complaint = differs(
      answerersIn(lab, evidence.prompts).map((answerers) => answerers.join(' then ')),
      wanted,
    )
    if (complaint) return complaint
    const before = requests[requests.findIndex(({ model }) => model === other) - 1]
    return !(before?.model === first && before.status === 529) && `before it ${before?.model ?? 'nothing'} was asked`
  }),
  withLab('the journal has that change of the model, and no other', ({ models }, { atEnd: { entries } }) => {
    return differs(
      ofType(entries, 'rung-changed').map(({ model }) => model),
      models.slice(1),
    )
  }),
  withLab(
    'what the API refused was repaired in one place, and then accepted',
    ({ requests }, { atEnd: { entries } }) => {
      const at = requests.findIndex(isRefused)
      const [refused, mended] = [requests[at], requests[at + 1]]
      if (!refused || !mended) return 'nothing was refused'
      if (requests.filter(isRefused).length > 1) return 'more than one request was refused'
      if (mended.kind !== 'ok') return `the repaired request ended as ${mended.kind}`
      const decisions = ofType(entries, 'fault-observed').filter(({ decision }) => decision.kind === 'repair').length
      const notes = ofType(entries, 'transcript-repaired').flatMap(({ repairs }) => repairs).length
      if (decisions !== 1 || notes !== 1)
        return `the journal has ${decisions} decisions to repair, ${notes} notes of it`
      return mendedInOnePlace(refused, mended) ?? imageLater(refused, requests.slice(at + 1))
    },
  ),
  withLab('all that was said and returned is sent, but for what the journal lists', async ({ requests }, { atEnd }) => {
    const { transcript } = await foldJournal(atEnd.entries, 'none of the heads')
    const last = requests.at(-1)
    const sent = last ? messagesIn(last) : []
    const recorded = transcript.messages.slice(0, sent.length)
    if (recorded.length < transcript.messages.length - 1) return 'the last request is not the whole conversation'
    const listed = ofType(atEnd.entries, 'transcript-repaired').flatMap(({ edits }) => edits)
    const unlisted = recorded.findIndex(
      (message, i) =>
        !listed.some(({ from, to }) => from <= i && i < to) && JSON.stringify(message) !== JSON.stringify(sent[i]),
    )
    if (unlisted >= 0) return `message ${unlisted} has changed, and nothing says so`
    const ids = (messages: typeof sent) =>
      messages.flatMap((message) =>
        blocksOf(message).flatMap(({ tool_use_id: id }) => (typeof id === 'string' ? [id] : [])),
      )
    return differs(ids(sent), ids(recorded))
  }),
  withLab('the status page was late: well in the outage, ill after it', (lab) => {
    const { models, requests, page } = lab
    const outage = outageOf(models[0], requests)
    if (!outage) return `${models[0]} was not down, or did not come back`
    const early = page.readings.filter(({ at }) => at >= outage.from && at < outage.to)
    const late = page.readings.filter(({ at }) => at >= outage.to)
    if (early.length === 0 || late.length === 0)
      return `${early.length} readings in the outage, ${late.length} after it`
    return differs(
      [...early, ...late].map(({ says }) => says),
      [...early.map(() => 'operational'), ...late.map(() => 'incident')],
    )
  }),
  withLab('the API was asked for its status page as often as it was read', ({ page: { readings, visits } }) => {
    return readings.length !== visits && `${readings.length} readings, ${visits} visits`
  }),
]

/** Exactly one block of the refused request was replaced, by a text that says so; all others are unchanged. */
function mendedInOnePlace(refused: LabRequest, mended: LabRequest): Complaint {
  const [before, after] = [leavesOf(refused), leavesOf(mended)]
  const changed = before.flatMap((leaf, i) => (leaf === after[i] ? [] : [i]))
  const [place] = changed
  if (before.length !== after.length || changed.length !== 1 || place === undefined)
    return `${changed.length} places were changed`
  const isText = /^\{"type":"text","text":"\[.* left out: /.test(after[place] ?? '')
  return isText ? undefined : 'what was left out is not named in its place'
}

/** Its blocks as JSON; blocks inside results are listed separately. */
function leavesOf(request: LabRequest): string[] {
  return messagesIn(request).flatMap((message) =>
    blocksOf(message).flatMap((block) => {
      const { content, ...outer } = block
      const inner = Array.isArray(content) ? (content as unknown[]) : [content]
      return [outer, ...inner].map((leaf) => JSON.stringify(leaf) ?? '')
    }),
  )
}

function imageLater(refused: LabRequest, later: readonly LabRequest[]): Complaint {
  const image = leavesOf(refused).find((leaf) => leaf.startsWith('{"type":"image"')) ?? 'no image'
  const again = later.findIndex(({ raw }) => raw.includes(image))
  return again >= 0 && `${again + 1} requests later the image is sent again`
}
