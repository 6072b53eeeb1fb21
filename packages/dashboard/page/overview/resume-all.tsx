/** Asks for a reason and says what will happen, before all resumable sessions are resumed. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ResumeAllDocument } from '../../src/overview.ts'
import { getJson, postJson } from '../live/api.ts'
import { ActionDialog } from '../session/action-dialog.tsx'
import { counted } from '../words/numbers.ts'

export function ResumeAll({ onClose }: { onClose: () => void }): JSX.Element {
  const [who, setWho] = useState('One moment: the server looks which sessions an outage has stopped.')
  useEffect(() => {
    const over = new AbortController()
    getJson<ResumeAllDocument>('api/resume-all', over.signal).then(
      ({ sessionIds }) =>
        setWho(`${counted(sessionIds.length, 'session')} that an outage stopped can go on from here.`),
      (error: Error) => !over.signal.aborted && setWho(`How many sessions these are is not known: ${error.message}.`),
    )
    return () => over.abort()
  }, [])
  return (
    <ActionDialog
      title="Resume all when up"
      confirm="Resume all"
      does={[
        who,
        'One is started first. When its first answer is there, the others follow one at a time, so that recovery is not the next outage. You can stop it at any time.',
        'Left out are those that a person has parked, that stopped for a reason of their own, that need an answer, and those of clients that only go on by themselves.',
      ]}
      onClose={onClose}
      run={async ({ reason }) => {
        await postJson('api/resume-all', { reason })
        return 'Started. The first one is the probe.'
      }}
    />
  )
}
