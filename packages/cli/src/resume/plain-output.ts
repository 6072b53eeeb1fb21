/** A terminal without colours: drops colour sequences and passes cursor movements. */
import { Writable } from 'node:stream'
import type { WriteStream } from 'node:tty'

// oxlint-disable-next-line no-control-regex
const paint = /\u001b\[[\d;]*m/g

export function plainOutput(terminal: WriteStream): Writable {
  const output = new Writable({
    decodeStrings: false,
    write: (text, _encoding, done) => void terminal.write(String(text).replace(paint, ''), () => done()),
  })
  terminal.on('resize', () => output.emit('resize'))
  return Object.defineProperties(output, {
    isTTY: { value: true },
    columns: { get: () => terminal.columns },
    rows: { get: () => terminal.rows },
  })
}
