/** Asks for a reason and says what will happen, before all resumable sessions are resumed. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ResumeAllDocument } from '../../src/overview.ts'
import { getJson, postJson } from '../live/api.ts'
import { ActionDialog } from '../session/action-dialog.tsx'
import { counted } from '../words/numbers.ts'

export function ResumeAll({ onClose }: { onClose: () => void }): JSX.Element {
  const [who, setWho] = useState('One moment: the server is checking which sessions an outage stopped.')
  useEffect(() => {
    const over = new AbortController()
    getJson<ResumeAllDocument>('api/resume-all', over.signal).then(
      ({ sessionIds }) =>
        setWho(`${counted(sessionIds.length, 'session')} that an outage stopped can continue from here.`),
      (error: Error) => !over.signal.aborted && setWho(`The number of sessions is not known: ${error.message}.`),
    )
    return () => over.abort()
  }, [])
  return (
    <ActionDialog
      title="Resume all when up"
      confirm="Resume all"
      does={[
        who,
        'One is started first. After its first answer, the others follow one at a time, so that recovery is not the next outage. You can stop it at any time.',
        'Left out are those that a person suspended, that stopped for a reason of their own, that need an answer, or that only their client can continue.',
      ]}
      onClose={onClose}
      run={async ({ reason }) => {
        await postJson('api/resume-all', { reason })
        return 'Started. The first one is the probe.'
      }}
    />
  )
}
