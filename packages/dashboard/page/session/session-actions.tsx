/** The buttons of a session, and the dialog of the chosen one. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Action, SessionDocument } from '../../src/session-document.ts'
import { act } from '../live/api.ts'
import { refusal } from '../live/overview-state.ts'
import { CopyCommand } from '../shell/copy-command.tsx'
import { visibleLine } from '../../src/visible-text.ts'
import { ActionDialog, textIn } from './action-dialog.tsx'
import { offersOf, turnsFor, type ActionName, type Offer } from './actions.ts'

interface ActionsProps {
  document: SessionDocument
  chosen: ActionName | undefined
  choose: (name: ActionName | undefined) => void
  onDone: () => void
}

export function SessionActions({ document, chosen, choose, onDone }: ActionsProps): JSX.Element {
  const { card } = document
  // While another process has it, a resume would be refused.
  const command = card.clientCommand ?? (card.heldBy === null ? card.command : null)
  const offers = offersOf(document, refusal.value)
  const offer = offers.find(({ name }) => name === chosen)
  const why = offers.find(({ name }) => name === 'resume')?.refusal ?? ''
  return (
    <section class="actions" aria-label="Actions">
      <div class="buttons">
        {offers.map((one) => (
          <button
            key={one.name}
            type="button"
            class={one.name === 'resume' ? 'primary' : ''}
            // Not `disabled`, so that the keyboard reaches the reason.
            aria-disabled={one.refusal !== undefined}
            title={one.refusal}
            onClick={() => one.refusal === undefined && choose(one.name)}
          >
            {one.label}
          </button>
        ))}
      </div>
      <p class="muted">{visibleLine(why)}</p>
      {command !== null && <CopyCommand command={command} />}
      {offer && (
        <Chosen key={offer.name} offer={offer} document={document} onClose={() => choose(undefined)} onDone={onDone} />
      )}
    </section>
  )
}

interface ChosenProps {
  offer: Offer
  document: SessionDocument
  onClose: () => void
  onDone: () => void
}

function Chosen({ offer, document, onClose, onDone }: ChosenProps): JSX.Element {
  const { card, resume } = document
  const turns = turnsFor(offer.name, document)
  const [to, setTo] = useState(turns[0] ?? 0)
  const inDoubt = resume?.inDoubt ?? []
  const asked = inDoubt.filter(({ rule }) => rule === 'ask')
  const reported = inDoubt.filter(({ rule }) => rule === 'report')
  const repeated = inDoubt.filter(({ rule }) => rule === 'rerun')
  const dropped = card.turn - to
  return (
    <ActionDialog
      title={offer.title}
      does={
        offer.name === 'rewind' && dropped > 0
          ? [`Goes back to turn ${to}: ${dropped === 1 ? '1 turn is' : `${dropped} turns are`} dropped.`, ...offer.does]
          : offer.does
      }
      confirm={offer.title}
      onClose={onClose}
      run={async ({ reason, fields }) => {
        const done = await act(card.sessionId, actionOf(offer.name, reason, fields))
        onDone()
        return visibleLine(done.text)
      }}
    >
      {offer.name === 'resume' && reported.length > 0 && (
        <div>
          <p>
            {mayHaveRun(reported)}. Unless the tool can tell, nothing is repeated: the model is told to verify first:
          </p>
          <Calls calls={reported} />
        </div>
      )}
      {offer.name === 'resume' && repeated.length > 0 && (
        <div>
          <p>{mayHaveRun(repeated)}. Unless the tool can tell, it runs again, which its rule says is safe:</p>
          <Calls calls={repeated} />
        </div>
      )}
      {offer.name === 'resume' && asked.length > 0 && (
        <fieldset>
          <legend>{mayHaveRun(asked)}:</legend>
          <Calls calls={asked} />
          <label class="choice">
            <input type="radio" name="inDoubt" value="report" defaultChecked /> Tell the model that the outcome is
            unknown, and to verify
          </label>
          <label class="choice">
            <input type="radio" name="inDoubt" value="rerun" /> Run again; only if that is safe
          </label>
        </fieldset>
      )}
      {(offer.name === 'rewind' || offer.name === 'fork') && (
        <label class="field">
          {offer.name === 'rewind' ? 'Back to' : 'Up to and including'}
          <select name="turn" value={to} onChange={(event) => setTo(Number(event.currentTarget.value))}>
            {turns.map((turn) => (
              <option key={turn} value={turn}>
                {turn === 0 ? 'before the first turn' : `turn ${turn}`}
              </option>
            ))}
          </select>
        </label>
      )}
      {offer.name === 'fork' && (
        <label class="field">
          Id of the new session (empty: one is made)
          <input name="newId" maxLength={128} autocomplete="off" />
        </label>
      )}
    </ActionDialog>
  )
}

type InDoubtCalls = NonNullable<SessionDocument['resume']>['inDoubt']

const mayHaveRun = (calls: InDoubtCalls): string =>
  `${calls.length === 1 ? 'One call' : `${calls.length} calls`} may have run; the outcome is unknown`

function Calls({ calls }: { calls: InDoubtCalls }): JSX.Element {
  return (
    <ul class="calls">
      {calls.map(({ name, input }, index) => (
        <li key={index}>
          <code>
            {visibleLine(name)} {visibleLine(input)}
          </code>
        </li>
      ))}
    </ul>
  )
}

function actionOf(action: ActionName, reason: string, fields: FormData): Action {
  const turn = Number(textIn(fields, 'turn'))
  switch (action) {
    case 'resume': {
      const inDoubt = textIn(fields, 'inDoubt')
      return { action, reason, ...(inDoubt === 'rerun' || inDoubt === 'report' ? { inDoubt } : {}) }
    }
    case 'rewind':
      return { action, reason, to: turn }
    case 'fork': {
      const newId = textIn(fields, 'newId').trim()
      return { action, reason, at: turn, ...(newId === '' ? {} : { newId }) }
    }
    default:
      return { action, reason }
  }
}
