/** Shown without a login: the command that prints an address with a token. */
import type { JSX } from 'preact'
import { visibleLine } from '../../src/visible-text.ts'
import { CopyCommand } from './copy-command.tsx'

export function SignIn({ refused }: { refused: string | undefined }): JSX.Element {
  return (
    <main class="sign-in" id="content">
      <h1>
        <span aria-hidden="true">◆</span> lastgood
      </h1>
      {refused === undefined ? (
        <p>This page needs the token that the dashboard makes each time it starts.</p>
      ) : (
        <p role="alert">{visibleLine(refused)}</p>
      )}
      <p>Open the address that this command prints; the token is in it:</p>
      <CopyCommand command="lastgood dashboard" />
      <p class="muted">
        While the server runs, the address is also in a file that only you can read,{' '}
        <code>~/.local/state/lastgood/dashboard/{location.port || '4142'}.url</code> (with <code>XDG_STATE_HOME</code>,
        in that folder instead of <code>~/.local/state</code>). The token is exchanged for a cookie and taken out of the
        address.
      </p>
    </main>
  )
}
