/**
 * The names from the OpenTelemetry conventions for generative AI that are used here.
 *
 * A file of our own: all of them have the status Development, and their copies in `@opentelemetry/semantic-conventions`
 * are deprecated. Source: https://github.com/open-telemetry/semantic-conventions-genai, read on 2026-11-22.
 * `error.type` and `http.response.status_code` are stable: https://opentelemetry.io/docs/specs/semconv/.
 */
export const operationName = 'gen_ai.operation.name'
export const providerName = 'gen_ai.provider.name'
export const agentName = 'gen_ai.agent.name'
export const conversationId = 'gen_ai.conversation.id'
export const requestModel = 'gen_ai.request.model'
export const toolName = 'gen_ai.tool.name'
export const toolCallId = 'gen_ai.tool.call.id'
export const errorType = 'error.type'
export const httpStatus = 'http.response.status_code'
