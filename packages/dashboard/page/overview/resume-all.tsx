/** Asks for a reason and says what will happen, before all that can be resumed are. */
import type { JSX } from 'preact'
import { postJson } from '../live/api.ts'
import { sessions } from '../live/overview-state.ts'
import { ActionDialog } from '../session/action-dialog.tsx'
import { counted } from '../words/numbers.ts'

export function ResumeAll({ onClose }: { onClose: () => void }): JSX.Element {
  const cards = [...sessions.value.values()]
  const stopped = cards.filter(({ status }) => status === 'suspended' || status === 'interrupted')
  const own = stopped.filter(({ clientCommand }) => clientCommand !== null).length
  const asked = cards.filter(({ status }) => status === 'needs-input').length
  return (
    <ActionDialog
      title="Resume all when up"
      confirm="Resume all"
      does={[
        `${counted(stopped.length - own, 'session')} that stopped can be resumed from here.`,
        'One is started first. When its first answer is there, the others follow one at a time, so that recovery is not the next outage. You can stop it at any time.',
        ...(own > 0 ? [`${counted(own, 'session')} of clients that only go on by themselves are left out.`] : []),
        ...(asked > 0 ? [`${counted(asked, 'session')} that need an answer from a person are left out.`] : []),
      ]}
      onClose={onClose}
      run={async ({ reason }) => {
        await postJson('api/resume-all', { reason })
        return 'Started. The first one is the probe.'
      }}
    />
  )
}
