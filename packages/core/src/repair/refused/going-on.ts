/** Messages in a form that a model can continue from. */
import { pausesTurn } from '../../journal/answer.ts'
import { blocksOf, isCall } from '../../journal/message.ts'
import { askedToGoOn, systemNotes } from '../../ladder/message-steps.ts'
import { within } from '../../ladder/step.ts'
import { repairedBy, refusalRule } from './refusal-rule.ts'

const nudgeText = 'Please continue.'

export const nudge = refusalRule({
  name: 'nudge',
  does: 'Asks the model to continue after an empty answer.',
  reach: 'messages',
  fitsSignatures: true,
  repair(outgoing, _context, argument) {
    const { messages } = outgoing
    const at = Math.min(messages.length, Number(argument ?? messages.length))
    if ([messages[at - 1], messages[at]].some((message) => message?.content === nudgeText)) return undefined
    const asked = { ...outgoing, messages: messages.toSpliced(at, 0, { role: 'user', content: nudgeText }) }
    return repairedBy(this, asked, 'asked the model to continue', { message: at, argument: String(at) })
  },
})

export const convertSystem = refusalRule({
  name: 'convert-system',
  row: 15,
  does: 'Sends system messages as user messages.',
  reach: 'model',
  repair(outgoing, { card }) {
    const changed = systemNotes(outgoing, within({ ...card, systemMessages: false }))
    return changed && repairedBy(this, changed.outgoing, changed.what)
  },
})

export const continueAfterPrefill = refusalRule({
  name: 'continue-after-prefill',
  row: 17,
  does: "Quotes the unfinished answer at the end to the model and asks it to continue, in the words of the API's pages.",
  reach: 'model',
  repair(outgoing, { stopReason }) {
    // A paused answer is sent back as the last message: the server continues it.
    const last = outgoing.messages.at(-1)
    const isCalling = last !== undefined && blocksOf(last).some(isCall)
    const changed = pausesTurn({ stop_reason: stopReason }) || isCalling ? undefined : askedToGoOn(outgoing)
    return changed && repairedBy(this, changed.outgoing, changed.what, { message: outgoing.messages.length })
  },
})
