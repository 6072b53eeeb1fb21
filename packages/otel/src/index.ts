/**
 * OpenTelemetry for lastgood sessions.
 *
 *     const session = await openSession('fix-auth', { telemetry: otel() })
 */
export { type OtelOptions, otel } from './otel.ts'
