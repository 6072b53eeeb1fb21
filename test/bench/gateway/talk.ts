/**
 * A conversation as a coding agent sends it: all of it with every request, a cache marker on its last message, some
 * 7.5 KB for each answer with a tool call and its result.
 */

type Block = Readonly<Record<string, unknown>>

/** `usual`: an agent's system prompt and tools, and steps of 7.5 KB. `small`: a line each. */
export type Size = 'usual' | 'small'

const model = 'claude-opus-5-5'
const marker = { cache_control: { type: 'ephemeral' } }
const resultBytes = 5_750
const answerBytes = 1_200

export class Talk {
  readonly session: string
  readonly #size: Size
  /** All but the last, as JSON. */
  readonly #before: string[] = []
  /** Content of the last message, which is the user's. */
  #last: Block[]
  #steps = 0

  /** `messages` is odd: the last one is the user's. */
  constructor(session: string, messages: number, size: Size = 'usual') {
    this.session = session
    this.#size = size
    this.#last = [{ type: 'text', text: `Make the tests of ${session} green.` }]
    while (this.length < messages) this.#goOn(madeUpAnswer(this.#steps, size))
  }

  get length(): number {
    return this.#before.length + 1
  }

  body(stream: boolean): Buffer {
    const marked = [...this.#last.slice(0, -1), { ...this.#last.at(-1), ...marker }]
    const messages = [...this.#before, JSON.stringify({ role: 'user', content: marked })].join(',')
    const { system, tools } = envelopes[this.#size]
    const rest = `"system":${system},"tools":${tools},"max_tokens":32000,"stream":${stream}`
    return Buffer.from(`{"model":"${model}","messages":[${messages}],${rest}}`)
  }

  headers(): Record<string, string> {
    return {
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14',
      'x-api-key': 'sk-ant-test-000',
      'user-agent': 'claude-cli/2.1.330 (external, sdk-cli)',
      'x-claude-code-session-id': this.session,
    }
  }

  /** Takes an answer as it came, and continues from it. */
  take(answer: string): void {
    this.#goOn(answer.startsWith('{') ? (JSON.parse(answer) as { content: Block[] }).content : contentOf(answer))
  }

  #goOn(answer: readonly Block[]): void {
    this.#before.push(JSON.stringify({ role: 'user', content: this.#last }))
    this.#before.push(JSON.stringify({ role: 'assistant', content: answer }))
    const call = answer.find(({ type }) => type === 'tool_use')
    const text = this.#size === 'small' ? `Result ${this.#steps}.` : sourceCode(this.#steps)
    this.#last = [call ? { type: 'tool_result', tool_use_id: call['id'], content: text } : { type: 'text', text }]
    this.#steps += 1
  }
}

function madeUpAnswer(step: number, size: Size): Block[] {
  const text = size === 'small' ? 'I look.' : prose(step, answerBytes)
  const id = `toolu_before_${String(step).padStart(12, '0')}`
  return [
    { type: 'text', text },
    { type: 'tool_use', id, name: 'Read', input: { file_path: `/home/ann/project/src/part-${step}.ts` } },
  ]
}

function filled(bytes: number, line: (at: number) => string): string {
  let text = ''
  for (let at = 0; text.length < bytes; at += 1) text += line(at)
  return text.slice(0, bytes)
}

const prose = (step: number, bytes: number) =>
  filled(
    bytes,
    (at) => `Part ${step}.${at} of the code is what the failing test needs, so I read it before I change it. `,
  )

const sourceCode = (step: number) =>
  filled(
    resultBytes,
    (at) =>
      `${String(at + 1).padStart(6)}\texport const value${step}_${at} = (input: number): string => \`\${input * ${at}} "of" ${step}\`\n`,
  )

function tool(name: string, at: number) {
  const properties = Object.fromEntries(
    ['file_path', 'pattern', 'limit', 'offset'].map((field) => [
      field,
      { type: 'string', description: prose(at, 120) },
    ]),
  )
  const input_schema = { type: 'object', properties, required: ['file_path'], additionalProperties: false }
  return { name, description: prose(at, 1_600), input_schema }
}

const toolNames = ['Read', 'Write', 'Edit', 'Bash', 'Glob', 'Grep', 'Task', 'WebFetch', 'WebSearch', 'TodoWrite']

/** As JSON. */
const envelopes: Readonly<Record<Size, { readonly system: string; readonly tools: string }>> = {
  usual: {
    system: JSON.stringify([80, 12_000].map((bytes, at) => ({ type: 'text', text: prose(at, bytes), ...marker }))),
    tools: JSON.stringify(toolNames.map(tool)),
  },
  small: {
    system: JSON.stringify([{ type: 'text', text: 'You are a coder.' }]),
    tools: JSON.stringify([{ name: 'Read', description: 'Reads a file.', input_schema: { type: 'object' } }]),
  },
}

/** The content blocks of a stream. */
function contentOf(stream: string): Block[] {
  const blocks: Record<string, unknown>[] = []
  const json: string[] = []
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data: ')) continue
    const { index = 0, content_block, delta } = JSON.parse(line.slice(6)) as StreamEvent
    if (content_block) blocks[index] = content_block
    const block = blocks[index]
    if (block && delta?.text !== undefined) block['text'] = String(block['text']) + delta.text
    if (delta?.partial_json !== undefined) json[index] = (json[index] ?? '') + delta.partial_json
  }
  for (const [at, block] of blocks.entries()) if (json[at] !== undefined) block['input'] = JSON.parse(json[at])
  return blocks
}

interface StreamEvent {
  readonly index?: number
  readonly content_block?: Record<string, unknown>
  readonly delta?: { readonly text?: string; readonly partial_json?: string }
}
