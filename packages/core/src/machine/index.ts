/**
 * The session machine as an xstate statechart, to draw or to step with xstate's own functions.
 *
 *     const [next, actions] = transition(sessionMachine, snapshot, entry)
 *
 * `step` of `@lastgood/core` does the same in a tenth of the time.
 */
export { sessionMachine } from './machine.ts'
