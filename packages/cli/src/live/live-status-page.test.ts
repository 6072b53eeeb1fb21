import type { PollOptions, StatusReading } from '@lastgood/core'
import { describe, expect, it } from 'vitest'
import { answered, sent } from '../../test/context.ts'
import { retry, watching } from './watching.fixture.ts'

describe('the status page', () => {
  const page: NonNullable<StatusReading['page']> = {
    indicator: 'minor',
    description: '',
    api: 'operational',
    openIncidents: [{ name: 'Opus 5.5 is slow', status: 'investigating', impact: 'minor' }],
  }
  /** Answers as told; `asked` is what it was asked with. */
  function poller(...readings: Partial<StatusReading>[]) {
    const asked: PollOptions[] = []
    const poll = async (options: PollOptions = {}) => {
      asked.push(options)
      return { ageMs: 0, ...readings[Math.min(asked.length, readings.length) - 1] }
    }
    return { asked, poll }
  }
  const line = (end: string) => `◐ API 529 overloaded_error · attempt 1 · ${end}`

  it('is asked only when an outage has lasted some seconds, then joins the line and ages with it', async () => {
    const asking = poller({ page, ageMs: 360_000 })
    const { clock, output, tell, written } = watching({ page: asking, env: { NO_COLOR: '1' } }, true)
    output.columns = 200
    tell(...retry(1, 20_000, clock.now()))
    await clock.advance(4_000)
    expect(asking.asked).toEqual([])
    await clock.advance(1_000)
    expect(written()).not.toContain('\n')
    const says = "saved inside turn 1 · status page: investigating 'Opus 5.5 is slow'"
    await clock.advance(1_000)
    expect(written()).toBe(`\r${line(`next in 14s · ${says} (6m01s old)`)}`)
    await clock.advance(9_000)
    expect(written()).toContain(`\r${line(`next in 5s · ${says} (6m10s old)`)}`)
    expect(asking.asked).toMatchObject([{ urgent: true }])
  })

  it('has a line of its own, once, where the terminal is too narrow for both', async () => {
    const { clock, output, tell, written } = watching({ page: poller({ page }), env: { NO_COLOR: '1' } }, true)
    output.columns = 90
    tell(...retry(1, 20_000, clock.now()))
    await clock.advance(10_000)
    const shown = written().split(/[\r\n]/)
    const own = "status page: investigating 'Opus 5.5 is slow' (0.0s old)"
    expect(shown.filter((one) => one.includes('status page'))).toEqual([own])
    expect(shown.at(-1)).toBe(line('next in 10s · saved inside turn 1'))
  })

  it('is a line of its own without a terminal only when it says something else', async () => {
    const operational = { page: { ...page, openIncidents: [] } }
    const asking = poller({ page }, { page }, operational, { failure: 'status.test: HTTP 405' })
    const { clock, tell, written } = watching({ page: asking })
    tell(...retry(1, 600_000, clock.now()))
    written()
    const pages = async () => {
      await clock.advance(30_000)
      return written().match(/status page: .*/g)
    }
    const slow = "status page: investigating 'Opus 5.5 is slow'"
    expect(await pages()).toEqual([`${slow} (0.0s old)`])
    expect(await pages()).toEqual([`${slow} (30s old)`])
    const fine = 'status page: API operational (may lag by ~10 min)'
    expect(await pages()).toEqual([`${slow} (30s old)`, fine])
    expect(await pages()).toEqual([fine, 'status page: unknown'])
  })

  it('keeps nobody waiting, and is given up when the outage ends or the renderer stops', async () => {
    const signals: AbortSignal[] = []
    const poll = async ({ signal }: PollOptions = {}) => {
      if (signal) signals.push(signal)
      return new Promise<StatusReading>(() => {})
    }
    const { clock, renderer, tell, written } = watching({ page: { poll } })
    const outage = async () => {
      tell(...retry(1, 600_000, clock.now()))
      await clock.advance(60_000)
    }
    await outage()
    tell(sent(2), answered('Hello.'))
    await outage()
    renderer.stop()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    expect(written()).not.toContain('status page')
    expect(clock.sleepers).toEqual([])
  })

  it('does not come into the words of an answer', async () => {
    let answer: (reading: StatusReading) => void = () => {}
    const poll = () => new Promise<StatusReading>((resolve) => (answer = resolve))
    const { clock, tell, say, written } = watching({ page: { poll } })
    tell(...retry(1, 600_000, clock.now()))
    await clock.advance(30_000)
    tell(sent(2))
    say('Hel')
    written()
    answer({ page, ageMs: 0 })
    await clock.advance(1)
    say('lo.')
    expect(written()).toBe('lo.')
  })
})
