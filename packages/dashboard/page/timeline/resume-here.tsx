/** Where a session resumes: below its last good turn, with what that does and costs. */
import type { JSX } from 'preact'
import type { SessionDocument } from '../../src/session-document.ts'
import { refusal } from '../live/overview-state.ts'
import { offersOf } from '../session/actions.ts'
import { counted } from '../words/numbers.ts'
import { visibleLine } from '../../src/visible-text.ts'

export function ResumeHere({
  document,
  onResume,
}: {
  document: SessionDocument
  onResume: (() => void) | undefined
}): JSX.Element | null {
  const { resume, card } = document
  if (!resume) return null
  const offer = offersOf(document, refusal.value).find(({ name }) => name === 'resume')
  const facts = [resume.does, resume.cost ?? (resume.tokens === null ? '' : counted(resume.tokens, 'token'))]
  if (resume.inDoubt.length > 0)
    facts.push(`${counted(resume.inDoubt.length, 'call')} of unknown outcome: not repeated silently`)
  return (
    <div class="resume-here">
      <span class="here" aria-hidden="true">
        ◆
      </span>
      <div class="resume-words">
        <strong>
          {card.lastGoodTurn === 0 ? 'No turn is saved yet' : `Everything up to turn ${card.lastGoodTurn} is saved`}
        </strong>
        <span>
          {facts
            .filter((fact) => fact !== '')
            .map(visibleLine)
            .join(' · ')}
        </span>
      </div>
      {onResume && (
        <button
          type="button"
          class="primary"
          aria-disabled={offer?.refusal !== undefined}
          title={offer?.refusal}
          onClick={() => offer?.refusal === undefined && onResume()}
        >
          {offer?.label}
        </button>
      )}
    </div>
  )
}
