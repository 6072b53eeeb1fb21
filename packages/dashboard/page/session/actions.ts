/**
 * What can be done with a session, what that means in words, and why it cannot be done now. Pure.
 *
 * 1. An action that would be refused is shown disabled, with the reason.
 */
import type { SessionCard } from '../../src/overview.ts'
import type { Action, SessionDocument } from '../../src/session-document.ts'
import { counted } from '../words/numbers.ts'

export type ActionName = Action['action']

export interface Offer {
  name: ActionName
  /** The button's text. */
  label: string
  title: string
  does: string[]
  /** Why it would be refused, or undefined. */
  refusal: string | undefined
}

/** The turns to go back to, or to fork at, the newest first; 0 is before the first one. */
export function turnsFor(name: ActionName, { turns, card }: SessionDocument): number[] {
  const good = [...new Set(turns.filter(({ state }) => state === 'ended').map(({ turn }) => turn))].reverse()
  // Going back to the last good turn gives up the open one.
  return name === 'rewind' ? [...(isOpen(card) ? good : good.slice(1)), 0] : good
}

export const isOpen = ({ turn, lastGoodTurn }: SessionCard): boolean => turn > lastGoodTurn

export function offersOf(document: SessionDocument, pageRefusal: string | undefined): Offer[] {
  const { card, resume } = document
  const { heldBy, clientCommand, command, lastGoodTurn } = card
  const holder = heldBy && `pid ${heldBy.pid} on ${heldBy.host}`
  const theirs = clientCommand === null ? undefined : 'Its client continues it from its own copy: do that there.'
  const elsewhere =
    clientCommand !== null
      ? 'It belongs to a client that only continues by itself: use its own command.'
      : command === null
        ? 'No agent of a configuration ran it: start its own program again, and it continues from the last good turn.'
        : undefined
  const unopened = 'Nothing is open: there is nothing to continue.'
  const held = holder === null ? undefined : `${holder} has it. Suspend it there, or take it over.`
  const inDoubt =
    'A tool that is running may still finish: its outcome is then unknown, and it is not repeated silently.'
  const atRest = card.status === 'idle' ? 'No turn is open in it.' : undefined
  const nothing = lastGoodTurn === 0 ? 'No turn has been saved yet.' : undefined
  return [
    {
      name: 'resume',
      label: resume ? `Resume at turn ${resume.turn}…` : 'Resume…',
      title: resume ? `Resume at turn ${resume.turn}` : 'Resume',
      does: resumeDoes(document),
      // What another process holds has no preview of a resume either.
      refusal:
        pageRefusal ?? elsewhere ?? (card.status === 'idle' ? unopened : (held ?? (resume ? undefined : unopened))),
    },
    {
      name: 'suspend',
      label: 'Suspend…',
      title: 'Suspend',
      does: [
        `It is suspended at once: the store refuses the next entry of ${holder ?? 'its process'}. What was recorded stays.`,
        inDoubt,
        'It can be resumed later, here or elsewhere.',
      ],
      refusal:
        pageRefusal ??
        (card.status === 'suspended'
          ? 'It is suspended already.'
          : holder === null
            ? 'No process is working on it.'
            : atRest),
    },
    {
      name: 'takeover',
      label: 'Take over…',
      title: 'Take over',
      does: [
        `It is taken from ${holder ?? 'its process'}: the store refuses its next entry.`,
        inDoubt,
        resume ? `Then it continues here: ${resume.does}.` : 'Then it continues here.',
      ],
      refusal: pageRefusal ?? elsewhere ?? (holder === null ? 'No process has it.' : atRest),
    },
    {
      name: 'rewind',
      label: 'Rewind…',
      title: 'Rewind to an earlier turn',
      does: [
        'Later turns leave the conversation. They stay in the journal.',
        'Files and other effects of their tools stay as they are.',
      ],
      refusal: pageRefusal ?? theirs ?? nothing ?? held,
    },
    {
      name: 'fork',
      label: 'Fork…',
      title: 'Fork',
      does: ['A new session starts with the same history. This one is not touched.'],
      refusal: pageRefusal ?? theirs ?? nothing,
    },
  ]
}

function resumeDoes({ resume, card }: SessionDocument): string[] {
  if (!resume) return []
  const cost =
    resume.cost ??
    (resume.tokens === null
      ? 'What it costs is not known.'
      : `It reads ${counted(resume.tokens, 'token')}${resume.cache === 'cold' ? '; the prompt cache is cold' : ''}.`)
  return [
    sentence(resume.does),
    sentence(cost),
    `${card.lastGoodTurn === 0 ? 'No turn is saved yet' : `The last good turn is ${card.lastGoodTurn}`}; finished tool calls are not run again.`,
  ]
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`
