/**
 * The session machine as xstate has it, to draw it or to step it with xstate's own functions.
 *
 *     const [next, actions] = transition(sessionMachine, snapshot, entry)
 *
 * `step` of `@lastgood/core` does the same in a tenth of the time.
 */
export { sessionMachine } from './machine.ts'
