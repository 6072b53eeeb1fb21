/**
 * Runs jobs one at a time, in the order in which they are given; each waits for those before it, however they end. The
 * error of a job is its caller's alone.
 */
export function oneAtATime(): <Result>(job: () => Promise<Result>) => Promise<Result> {
  let before: Promise<unknown> = Promise.resolve()
  return (job) => {
    const run = before.then(job)
    before = run.catch(() => {})
    return run
  }
}
