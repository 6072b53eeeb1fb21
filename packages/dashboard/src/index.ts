/**
 * The documents of lastgood's web page. The command line sends them; `lastgood show --json` prints the same.
 *
 *   import type { Overview, SessionDocument } from '@lastgood/dashboard'
 */
export type * from './outages.ts'
export type * from './overview.ts'
export type * from './session-document.ts'
export type { Step, StepOf, Tokens, TurnReport } from './turn-report.ts'
export { ago, left, spent } from './durations.ts'
export { compact } from './numbers.ts'
export { visibleLine, visibleText } from './visible-text.ts'
