/**
 * What a checkpoint costs far into a session, and what it stores. The places are visited in turns, so that other load
 * on the machine affects all of them; for the first place short sessions are begun again and again.
 */
import { contentBytes, type Size } from './workload.ts'
import type { Medium, Role, Writer } from './contenders.ts'
import { median, timed } from '../spread.ts'

export interface Growth {
  readonly medium: string
  readonly role: Role
  readonly places: readonly { readonly step: number; readonly p50: number }[]
}

interface Place {
  readonly at: number
  readonly times: number[]
  writer: Writer
  step: number
}

const early = 10

/** `samples` checkpoints about step 10 and about each of `steps`. */
export async function measureGrowth(
  medium: Medium,
  role: Role,
  steps: readonly number[],
  samples: number,
): Promise<Growth> {
  const places: Place[] = []
  for (const at of [early, ...steps]) {
    const step = Math.max(0, at - Math.ceil(samples / 2))
    const writer = await medium.open(role, `growth-${role}-${at}`)
    if (at !== early) await writeSteps(writer, 0, step)
    places.push({ at, times: [], writer, step: at === early ? 0 : step })
  }
  for (let sample = 0; sample < samples; sample++) {
    for (const place of inTurn(places, sample)) {
      if (place.at === early && place.step === 2 * early) {
        await place.writer.close()
        place.writer = await medium.open(role, `growth-${role}-${early}-${sample}`)
        await writeSteps(place.writer, 0, 1)
        place.step = 1
      }
      place.times.push(await timed(place.writer.prepare(place.step)))
      place.step += 1
    }
  }
  for (const { writer } of places) await writer.close()
  return { medium: medium.name, role, places: places.map(({ at, times }) => ({ step: at, p50: median(times) })) }
}

function inTurn<T>(all: readonly T[], round: number): T[] {
  return all.map((_, at) => all[(round + at) % all.length] as T)
}

async function writeSteps(writer: Writer, from: number, to: number): Promise<void> {
  for (let step = from; step < to; step++) await writer.prepare(step)()
}

export interface Stored {
  readonly medium: string
  readonly role: Role
  readonly content: number
  readonly stored: number
}

/** Writes a session of `steps` steps as `id`; returns what it added to the medium. */
export async function writeSession(
  medium: Medium,
  role: Role,
  id: string,
  steps: number,
  bytesIn: (id: string) => Promise<number>,
  size: Size = 'usual',
): Promise<Stored> {
  const writer = await medium.open(role, id, size)
  const before = await bytesIn(id)
  await writeSteps(writer, 0, steps)
  const stored = (await bytesIn(id)) - before
  await writer.close()
  const content = Array.from({ length: steps }, (_, step) => contentBytes(step, size)).reduce(
    (sum, one) => sum + one,
    0,
  )
  return { medium: medium.name, role, content, stored }
}
