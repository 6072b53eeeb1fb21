/** The API's side of the evidence: what it received, in terms that the checks use. Pure. */
import type { Message } from '@lastgood/core'
import type { LabEvidence, LabRequest } from './evidence.ts'

/** The API rejected what it was sent; it did not fail itself. */
export const isRefused = ({ kind, status }: LabRequest): boolean =>
  kind === 'rejected' || (kind === 'fault' && status === 400)

/** All of a body before its messages, and the exact text of the messages without their closing bracket. */
export function partsOf(raw: string): { settings: string; messages: string } {
  const at = raw.indexOf('"messages":[')
  return { settings: raw.slice(0, at), messages: raw.slice(at, raw.lastIndexOf(']')) }
}

export function messagesIn({ raw }: LabRequest): readonly Message[] {
  return (JSON.parse(raw) as { messages: Message[] }).messages
}

/** The models that answered in each turn, in order; a turn begins with the request that carries its prompt. */
export function answerersIn({ requests }: LabEvidence, prompts: readonly string[]): string[][] {
  return prompts.map((_prompt, turn) => {
    const answers = requests.filter(({ kind, raw }) => kind === 'ok' && lastPromptIn(raw, prompts) === turn)
    return answers.map(({ model }) => model).filter((model, i, all) => model !== all[i - 1])
  })
}

const lastPromptIn = (raw: string, prompts: readonly string[]): number =>
  prompts.findLastIndex((prompt) => raw.includes(JSON.stringify(prompt)))

/** Turns that another model ended, and those of them after which the first model had the whole next turn. */
export function turnsOfOther(lab: LabEvidence, prompts: readonly string[]): { taken: number; takenBack: number } {
  const answerers = answerersIn(lab, prompts)
  const [first, other] = lab.models
  const taken = answerers.flatMap((models, turn) => (models.at(-1) === other ? [turn] : []))
  const takenBack = taken.filter((turn) => answerers[turn + 1]?.join() === first)
  return { taken: taken.length, takenBack: takenBack.length }
}

/** Requests that were refused, and those of them that were accepted when they were sent again, mended. */
export function refusals({ requests }: LabEvidence): { refused: number; mended: number } {
  const refused = requests.flatMap((request, i) => (isRefused(request) ? [i] : []))
  return { refused: refused.length, mended: refused.filter((i) => requests[i + 1]?.kind === 'ok').length }
}
