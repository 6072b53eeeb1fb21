/**
 * What the server held for the conversation and no longer has: containers, threads, files. The conversation itself is
 * sent in full every time, so it can go on without them.
 */
import { isRecord, without } from '../../json.ts'
import type { Block } from '../../journal/journal.ts'
import { blocksOf } from '../../journal/message.ts'
import { isResult } from '../block-kinds.ts'
import { count, placedBlocks } from '../blocks.ts'
import { repairedBy, replacedBy, refusalRule } from './refusal-rule.ts'

export const dropContainer = refusalRule({
  name: 'drop-container',
  row: 28,
  does: 'Leaves out the id of the container; the server starts a new one.',
  reach: 'model',
  repair(outgoing, _context, argument) {
    const { container } = outgoing.params
    const id = isRecord(container) ? container['id'] : container
    if (typeof id !== 'string' || (argument !== undefined && argument !== id)) return undefined
    const rest = isRecord(container) ? without(container, ['id']) : {}
    const left = without(outgoing.params, ['container'])
    const params = Object.keys(rest).length > 0 ? { ...left, container: rest } : left
    return repairedBy(this, { ...outgoing, params }, `left out container ${id}`, { argument: id })
  },
})

export const nameContainer = refusalRule({
  name: 'name-container',
  row: 28,
  does: 'Names the container of the last answer, in which code waits for the results of its calls.',
  reach: 'model',
  repair(outgoing, { container: id }) {
    const { container } = outgoing.params
    const asked = isRecord(container) ? container : {}
    if (id === undefined || typeof container === 'string' || typeof asked['id'] === 'string') return undefined
    const last = outgoing.messages.at(-1)
    if (!last || !blocksOf(last).some(isResult)) return undefined
    const params = { ...outgoing.params, container: isRecord(container) ? { ...container, id } : id }
    return repairedBy(this, { ...outgoing, params }, `named container ${id}`)
  },
})

export const dropThread = refusalRule({
  name: 'drop-thread',
  does: 'Leaves out the thread.',
  reach: 'turn',
  repair(outgoing) {
    if (outgoing.params['thread'] === undefined) return undefined
    return repairedBy(this, { ...outgoing, params: without(outgoing.params, ['thread']) }, 'left out the thread')
  },
})

export const dropFiles = refusalRule({
  name: 'drop-files',
  row: 29,
  does: 'Replaces a file that the server no longer has with text.',
  reach: 'model',
  repair(outgoing, { fault }, argument) {
    const all = placedBlocks(outgoing.messages).filter(({ block }) => fileOf(block) !== undefined)
    const named = argument?.split(',') ?? (fault?.message ?? '').match(/\bfile_\w+/g) ?? []
    const meant = all.filter(({ block }) => named.includes(fileOf(block) ?? ''))
    const lost = argument === undefined && meant.length === 0 ? all : meant
    const ids = [...new Set(lost.map(({ block }) => fileOf(block)))].join(',')
    const what = `left out ${count(lost.length, 'file')}: ${ids}`
    return replacedBy(this, outgoing, lost, fileLeftOut, what, { argument: ids })
  },
})

function fileOf(block: Block): string | undefined {
  const { source } = block
  const holder = block.type === 'container_upload' ? block : isRecord(source) && source['type'] === 'file' ? source : {}
  return typeof holder['file_id'] === 'string' ? holder['file_id'] : undefined
}

function fileLeftOut(block: Block): Block {
  return { type: 'text', text: `[${block.type} ${fileOf(block) ?? ''} left out: the server no longer has the file]` }
}
