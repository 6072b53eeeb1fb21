/**
 * One run of an agent at a time: asking for the same as a run under way or waiting gives that run; others wait in line.
 * A run that would wait for itself, such as one inside a run of the same session, is refused.
 */
import { LastgoodError } from '../errors.ts'
import { inside, waitingFor } from './nesting.ts'

interface Run {
  readonly agent: string
  readonly asked: string | undefined
  readonly reply: Promise<unknown>
}

export class RunQueue {
  readonly #sessionId: string
  /** Under way and waiting, in order. */
  readonly #runs: Run[] = []

  constructor(sessionId: string) {
    this.#sessionId = sessionId
  }

  /** `asked` says what is asked for; undefined: any run of the agent. Errors: `bad-option`, and those of the run. */
  run<Reply>(agent: string, asked: string | undefined, begin: () => Promise<Reply>): Promise<Reply> {
    // All runs of a session count as one thing to wait for: each waits for those before it.
    return waitingFor(
      this,
      () => this.#queued(agent, asked, begin),
      () => runInsideRun(this.#sessionId),
    )
  }

  #queued<Reply>(agent: string, asked: string | undefined, begin: () => Promise<Reply>): Promise<Reply> {
    const same = this.#runs.find((one) => one.agent === agent && (asked === undefined || asked === one.asked))
    if (same) return same.reply as Promise<Reply>
    const run = () => inside(this, begin)
    const last = this.#runs.at(-1)
    const reply = last ? last.reply.then(run, run) : run()
    const queued = { agent, asked, reply }
    this.#runs.push(queued)
    const ended = () => void this.#runs.splice(this.#runs.indexOf(queued), 1)
    reply.then(ended, ended)
    return reply
  }
}

function runInsideRun(id: string): LastgoodError {
  return new LastgoodError(
    'bad-option',
    `session ${id}: a run inside a run of the same session would wait for itself`,
    {
      hint: 'open a separate session for a sub-agent',
    },
  )
}
