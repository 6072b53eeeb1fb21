/** Checks what was sent against what arrived: the journal against the API's own records. */
import { tokensIn, type Usage } from '@lastgood/core'
import { differs, withLab, type Check } from './check.ts'
import { ofType, tokensAround } from './facts.ts'
import { isRefused, partsOf } from './received.ts'

export const labChecks: readonly Check[] = [
  withLab('every outage of the script happened, and no other', ({ requests, script }) => {
    const happened = requests.flatMap(({ kind, outage }) => (kind === 'fault' ? [outage ?? 'one without a name'] : []))
    return differs(
      happened,
      script.flatMap(({ name, times }) => Array.from({ length: times }, () => name)),
    )
  }),
  withLab('the journal has each of them as what it was', ({ script }, { atEnd: { entries } }) => {
    return differs(
      ofType(entries, 'fault-observed').map(({ fault }) => fault.kind),
      script.flatMap(({ kind, times }) => Array.from({ length: times }, () => kind)),
    )
  }),
  withLab('one request left for each attempt, to the model of that attempt', ({ requests }, { atEnd: { entries } }) => {
    return differs(
      requests.map(({ model }) => model),
      ofType(entries, 'request-sent').map(({ model }) => model),
    )
  }),
  withLab('the lab has nothing against any transcript', ({ requests }) => {
    const bad = requests.find(({ kind, violation }) => violation !== undefined || !['ok', 'fault'].includes(kind))
    return bad && (bad.violation ?? `a request ended as ${bad.kind}`)
  }),
  withLab('the journal has the answers that the API gave', ({ requests }, { atEnd: { entries } }) => {
    const given = requests.flatMap((one) =>
      one.kind === 'ok' ? [`${one.messageId} ${one.model} ${tokensText(one.usage)}`] : [],
    )
    const had = ofType(entries, 'response-received').map(
      ({ message: { id, model, usage } }) => `${id} ${model} ${tokensText(usage)}`,
    )
    return differs(had, given)
  }),
  withLab('what was sent again was what was sent, byte for byte', ({ requests }) => {
    // A refused request is not sent again as it was, but mended.
    const good = requests.filter((request) => !isRefused(request)).map(({ raw, model }) => ({ model, ...partsOf(raw) }))
    const at = good.findIndex(({ messages, settings, model }, i) => {
      const ofModel = good.slice(0, i).findLast((one) => one.model === model)
      return !messages.startsWith(good[i - 1]?.messages ?? '') || settings !== (ofModel?.settings ?? settings)
    })
    return at >= 0 && `request ${at + 1} of those that were not refused does not begin with the one before it`
  }),
  withLab('the redeploy changed the tools, and the session kept its own', ({ requests, deployed }) => {
    if (deployed.before === deployed.after) return 'the redeploy changed nothing'
    const other = requests.findIndex(({ raw }) => toolsOf(raw) !== deployed.before)
    return other >= 0 && `request ${other + 1} has other tools`
  }),
  withLab('the resumed request found the conversation in the prompt cache', (_lab, { atKill, atEnd }) => {
    const { before, resumed } = tokensAround(atKill.entries.length, atEnd.entries)
    return !(resumed.cacheRead > 0 && resumed.cacheRead >= before) && `${resumed.cacheRead} of ${before} tokens`
  }),
]

function tokensText(usage: Usage | undefined): string {
  const { input, cacheRead } = tokensIn(usage)
  return `${input}/${cacheRead}`
}

function toolsOf(raw: string): string {
  return JSON.stringify((JSON.parse(raw) as { tools?: unknown }).tools)
}
