/**
 * The agent of a person at a terminal: tools that change something, each with its own rule. They log what they do to
 * `ran.log`, so that a journey can count it. `HANG` names a tool that does not return until there is a file `go`, for a
 * process that is to be killed in it, or to be late.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import Anthropic from '@anthropic-ai/sdk'
import { defineAgent, ladder, tool } from '@lastgood/anthropic'
import { z } from 'zod'

const { LAB_URL, HANG, LADDER, MODEL = 'claude-opus-5-5' } = process.env

/** Logs that the tool ran, and has the effect that a person would see. */
async function did(what, name) {
  appendFileSync('ran.log', `${what}\n`)
  if (HANG !== name) return
  process.stderr.write('HANGING\n')
  while (!existsSync('go')) await setTimeout(20)
}

const shell = tool({
  name: 'shell',
  description: 'Runs a command.',
  input: z.object({ command: z.string() }),
  async run({ command }) {
    await did(`shell ${command}`, 'shell')
    return `ok: ${command}`
  },
})

const deploy = tool({
  name: 'deploy',
  description: 'Deploys a version.',
  input: z.object({ version: z.string() }),
  inDoubt: 'ask',
  async run({ version }) {
    await did(`deploy ${version}`, 'deploy')
    return `deployed ${version}`
  },
})

const read = tool({
  name: 'read',
  description: 'Reads a file.',
  input: z.object({ path: z.string() }),
  inDoubt: 'rerun',
  run: ({ path }) => (existsSync(path) ? readFileSync(path, 'utf8') : 'no such file'),
})

export const client = () => new Anthropic({ baseURL: LAB_URL, apiKey: process.env.ANTHROPIC_API_KEY })

/** `LADDER`: the models that take over from one another. */
export const coder = () =>
  defineAgent({
    name: 'coder',
    client: client(),
    model: LADDER === undefined ? MODEL : ladder(...LADDER.split(' ')),
    maxTokens: 1024,
    tools: [shell, deploy, read],
  })
