import { tmpdir } from 'node:os'
import process from 'node:process'
import { expect, it } from 'vitest'
import { openTerminal } from './terminal.ts'

/** A program of one line, in a terminal. */
const programmed = (code: string) =>
  openTerminal([process.execPath, '-e', code], { cwd: tmpdir(), columns: 40, rows: 5 })

it('gives the screen as a person sees it: what was redrawn is gone, colours are no text', async () => {
  const terminal = programmed(`process.stdout.write('first one\\r         \\r\\u001b[31msecond\\u001b[0m')`)
  expect(await terminal.ended).toEqual({ code: 0, signal: 0, screen: 'second' })
  expect(terminal.written()).toContain('first')
})

it('types into a program, and waits for what the screen shows', async () => {
  const terminal = programmed(
    `process.stdin.once('data', (line) => { console.log('you said ' + line); process.exit(3) }); console.log('ready?')`,
  )
  await terminal.shows('ready?')
  terminal.type('yes')
  terminal.press('enter')
  expect(await terminal.shows(/you said/)).toContain('you said yes')
  expect(await terminal.ended).toMatchObject({ code: 3 })
})

it('keeps what has scrolled off, and joins what was wrapped', async () => {
  const long = 'x'.repeat(60)
  const terminal = programmed(`console.log('${long}'); for (let i = 0; i < 9; i++) console.log(i)`)
  const { screen } = await terminal.ended
  expect(screen).not.toContain('x')
  expect(terminal.everything()).toContain(`${long}\n0\n`)
})

it('tells what the screen showed when the program ends without what was awaited', async () => {
  const terminal = programmed(`console.log('something else')`)
  await expect(terminal.shows('what I want')).rejects.toThrow(
    /ended before a screen with what I want; the screen:\nsomething/,
  )
})
