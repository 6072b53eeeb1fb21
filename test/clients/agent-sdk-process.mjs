/**
 * A program on the Claude Agent SDK, as its users write it: asks for one thing, and fails if that fails.
 *
 *   node agent-sdk-process.mjs <file of the SDK> <task>
 */
import { pathToFileURL } from 'node:url'

const [file, prompt] = process.argv.slice(2)
const { query } = await import(pathToFileURL(file).href)

for await (const message of query({ prompt, options: { allowedTools: ['Bash'], settingSources: [] } })) {
  if (message.type !== 'result') continue
  console.log(message.subtype, message.result ?? message.errors ?? '')
  if (message.is_error) process.exitCode = 1
}
