/**
 * The terminal's picker: which session to resume and, if nothing is open in it, what to say to it.
 *
 * 1. It is drawn on stderr, so that stdout stays data, and is loaded only when somebody is there to pick.
 * 2. Leaving it returns the session that was under the cursor, so that the way back is a command, not another search.
 * 3. Ctrl+Z restores the terminal; after `fg` the prompt comes back with what was typed.
 */
import process from 'node:process'
import type { Option } from '@clack/prompts'
import type { Keyboard } from '../context.ts'
import type { Palette } from '../terminal.ts'
import { hintOf, isFound, labelsOf, offerOf, type Choice, type RowStyle, type SessionChoice } from './choices.ts'
import { plainOutput } from './plain-output.ts'

export interface PickerOptions {
  readonly keyboard: Keyboard
  readonly palette: Palette
  readonly style: RowStyle
  readonly signal: AbortSignal
  /** Whether the session needs a message to go on. */
  needsMessage(choice: SessionChoice): boolean
}

export type Picked =
  | { readonly kind: 'picked'; readonly choice: SessionChoice; readonly message: string | undefined }
  /** The picker was left, with the cursor on this session. */
  | { readonly kind: 'left'; readonly at: SessionChoice | undefined }

export async function pick(sessions: readonly SessionChoice[], options: PickerOptions): Promise<Picked> {
  const { keyboard, palette, style, signal } = options
  const { autocomplete, text, isCancel } = await import('@clack/prompts')
  const output = palette.isColorSupported ? keyboard.output : plainOutput(keyboard.output)
  const { input } = keyboard
  const common = { input, output }
  let isWide = false
  for (;;) {
    const { isHere, shown, searched } = offerOf(sessions, style.cwd, isWide)
    const [plain, found] = [optionsOf(shown, options), optionsOf(searched, options)]
    let under: Entry | undefined = plain[0]?.value
    let words = ''
    const entry = await askedAgain(signal, (asking) =>
      autocomplete<Entry>({
        ...common,
        signal: asking,
        message: isHere ? 'Which session?' : 'Which session, of all projects?',
        placeholder: 'type to search all projects',
        initialUserInput: words,
        ...(under && { initialValue: under }),
        maxItems: 12,
        options() {
          under = this.focusedValue ?? under
          words = this.userInput
          return words.trim() === '' ? plain : found
        },
        filter: (search, { value: { choice } }) => choice.kind === 'session' && isFound(choice, search.trim()),
        validate: (value) => (value === undefined ? 'no match: type fewer words' : undefined),
      }),
    )
    if (isCancel(entry)) return { kind: 'left', at: under?.choice.kind === 'session' ? under.choice : undefined }
    const { choice } = entry
    if (choice.kind === 'everywhere') {
      isWide = true
      continue
    }
    if (!options.needsMessage(choice)) return { kind: 'picked', choice, message: undefined }
    let typed = ''
    const message = await askedAgain(signal, (asking) => {
      // The prompt passes what was typed only to `validate`, so a stop presses Return to have it validated.
      asking.addEventListener('abort', () => void (signal.aborted || input.emit('keypress', '', { name: 'return' })))
      return text({
        ...common,
        signal: asking,
        message: 'Its turn has ended. What is next?',
        initialValue: typed,
        validate(now = '') {
          typed = now
          if (asking.aborted) return 'stopped'
          return now.trim() ? undefined : 'say something, or leave with Esc'
        },
      })
    })
    return isCancel(message) ? { kind: 'left', at: choice } : { kind: 'picked', choice, message }
  }
}

/** The answer to `ask`. Stopping the process (Ctrl+Z) ends the prompt; it is shown again when the process continues. */
async function askedAgain<T>(signal: AbortSignal, ask: (asking: AbortSignal) => Promise<T>): Promise<T> {
  for (;;) {
    const stopped = new AbortController()
    const onStop = () => stopped.abort()
    process.once('SIGTSTP', onStop)
    const answer = await ask(AbortSignal.any([signal, stopped.signal]))
    process.off('SIGTSTP', onStop)
    if (typeof answer !== 'symbol' || !stopped.signal.aborted) return answer
    process.kill(process.pid, 'SIGSTOP')
  }
}

/** Wraps the choice: a prompt wants values of one type. */
interface Entry {
  readonly choice: Choice
}

function optionsOf(choices: readonly Choice[], { style }: PickerOptions): Option<Entry>[] {
  const labels = labelsOf(choices, style)
  return choices.map((choice, index) => ({
    value: { choice },
    label: labels[index] ?? '',
    ...(choice.kind === 'session' && { hint: hintOf(choice, style) }),
  }))
}
