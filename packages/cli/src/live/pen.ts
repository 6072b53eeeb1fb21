/**
 * Writes lines, running text and one line that is rewritten in place, without mixing them up and without escape
 * sequences: old text is overwritten with spaces, so that it works wherever `\r` does.
 */
import type { Output } from '../context.ts'
import { widthOf } from '../text.ts'

export class Pen {
  readonly #output: Output
  #isMidLine = false
  /** Somebody else has written since, and may be in the middle of a line. */
  #isInterrupted = false
  /** Columns of the rewritten line; 0 when there is none. */
  #drawn = 0

  constructor(output: Output) {
    this.#output = output
  }

  /** Somebody else writes to the terminal now: what comes next begins on a line of its own. */
  giveWay(): void {
    this.rest()
    this.#isInterrupted = true
  }

  /** A line of its own. */
  line(text: string): void {
    this.#output.write(`${this.#isInterrupted ? '\n' : this.#toStart()}${text}\n`)
    this.#isMidLine = false
    this.#isInterrupted = false
  }

  /** Text that goes on where the last one ended. */
  words(text: string): void {
    if (text === '') return
    this.#output.write(`${this.#drawn > 0 ? this.#erased() : ''}${text}`)
    this.#isMidLine = !text.endsWith('\n')
  }

  /** The line that is rewritten; `plain` is what it looks like without colours. */
  draw(plain: string, colored: string): void {
    const width = widthOf(plain)
    const start = this.#isMidLine || this.#isInterrupted ? '\n' : '\r'
    this.#isInterrupted = false
    this.#output.write(`${start}${colored}${' '.repeat(Math.max(0, this.#drawn - width))}`)
    this.#isMidLine = false
    this.#drawn = width
  }

  /** Removes the rewritten line, and ends a line of running text. */
  rest(): void {
    const text = this.#toStart()
    if (text !== '') this.#output.write(text)
    this.#isMidLine = false
  }

  #toStart(): string {
    if (this.#drawn > 0) return this.#erased()
    return this.#isMidLine ? '\n' : ''
  }

  #erased(): string {
    const spaces = ' '.repeat(this.#drawn)
    this.#drawn = 0
    return `\r${spaces}\r`
  }
}
