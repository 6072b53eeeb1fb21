/** Conversations with the lab in which several models answer, request by request. */
import type { Block, Message } from '@lastgood/core'
import { reply, startLab, text, type Lab, type Reply } from '@lastgood/outage-lab'
import { onTestFinished } from 'vitest'
import type { Outgoing } from '../../packages/core/src/repair/outgoing.ts'

export interface ModelLab {
  lab: Lab
  /** What the models say next. */
  said: Reply
}

export async function openModelLab(): Promise<ModelLab> {
  const said = reply(text('Ok.'))
  const opened: ModelLab = { said, lab: await startLab({ model: () => opened.said }) }
  onTestFinished(() => opened.lab.close())
  return opened
}

interface ServedMessage {
  model: string
  content: Block[]
}

export function startConversation(opened: ModelLab, start: Outgoing, version = '2023-06-01') {
  const makers = new Map<Message, string>()
  const stored = { ...start, messages: [...start.messages] }
  const post = async ({ params, messages, betas }: Outgoing) => {
    const response = await fetch(`${opened.lab.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': 'test', 'anthropic-version': version, 'anthropic-beta': betas.join(',') },
      body: JSON.stringify({ ...params, messages }),
    })
    const message = (await response.json()) as ServedMessage
    const refusedBy = response.ok ? undefined : (opened.lab.requests.at(-1)?.violation?.rule ?? `${response.status}`)
    return { refusedBy, message }
  }
  return {
    /** The request as it is recorded; answers are added to it. */
    stored,
    madeBy: (message: Message) => makers.get(message),
    /** The rule that the request breaks; undefined when it is answered. */
    send: async (outgoing: Outgoing) => (await post(outgoing)).refusedBy,
    /** The same, and the answer is recorded. */
    answer: async (outgoing: Outgoing, said: Reply) => {
      opened.said = said
      const { refusedBy, message } = await post(outgoing)
      if (refusedBy !== undefined) return refusedBy
      const recorded = { role: 'assistant', content: message.content }
      makers.set(recorded, message.model)
      stored.messages.push(recorded)
      return undefined
    },
  }
}

/** The user's message with the results of all calls; undefined where none was called. */
export function resultsFor(message: Message | undefined): Message | undefined {
  const blocks = Array.isArray(message?.content) ? message.content : []
  const content = blocks
    .filter(({ type }) => type === 'tool_use')
    .map((block): Block => ({ type: 'tool_result', tool_use_id: block['id'], content: 'done' }))
  return content.length > 0 ? { role: 'user', content } : undefined
}
