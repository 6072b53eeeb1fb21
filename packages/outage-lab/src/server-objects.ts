/**
 * Containers and files: what the server holds for a client, and can lose.
 * 1. A container's id says which lab made it and when, so that any lab knows the containers of every other one.
 * 2. A container lives for 30 days.
 */
import { invalid, usualError, type ApiError } from './api-error.ts'
import { mac } from './digest.ts'
import { isObject, objectsOf, stringOf, type JsonObject } from './json.ts'

const CONTAINER_LIFE_MS = 30 * 24 * 60 * 60_000
const TIME_CHARS = 10
const TAG_CHARS = 12

export type ContainersMode = 'on' | 'expired' | 'expired-500'
/** The ids of the files that exist. */
export type FilesMode = 'any' | readonly string[]

export interface ServerObjects {
  /** The error for an object that the request names and the server does not have. */
  missing(request: JsonObject): ApiError | undefined
  /** The container of the answer, if the request uses one. */
  containerFor(request: JsonObject, n: number): Container | undefined
  addFile(id: string): void
}

export interface Container {
  readonly id: string
  readonly expires_at: string
}

export interface ServerObjectsOptions {
  readonly containers: ContainersMode
  readonly files: FilesMode
  readonly now: () => number
}

export function createServerObjects({ containers, files, now }: ServerObjectsOptions): ServerObjects {
  const own = new Set<string>()
  const known = files === 'any' ? undefined : new Set(files)
  return {
    missing(request) {
      const id = containerId(request)
      if (id !== undefined) {
        const madeAt = readContainerId(id)
        if (madeAt === undefined)
          return { status: 404, type: 'not_found_error', message: `container: ${id} not found`, row: 28 }
        const lost = containers !== 'on' && !own.has(id)
        if (lost && containers === 'expired-500') return { status: 500, ...usualError(500), row: 28 }
        if (lost || madeAt + CONTAINER_LIFE_MS <= now()) return invalid(`container: ${id} has expired`, { row: 28 })
      }
      const file = known && fileIds(request['messages']).find((name) => !known.has(name))
      if (file === undefined) return undefined
      const details = { error_code: 'file_expired' }
      return { status: 404, type: 'not_found_error', message: `file_id: ${file} is no longer available`, details }
    },
    containerFor(request, n) {
      const given = containerId(request)
      if (given === undefined && !isObject(request['container']) && !runsCode(request)) return undefined
      const id = given ?? makeContainerId(now(), n)
      own.add(id)
      return { id, expires_at: new Date((readContainerId(id) ?? now()) + CONTAINER_LIFE_MS).toISOString() }
    },
    addFile: (id) => void known?.add(id),
  }
}

function containerId({ container }: JsonObject): string | undefined {
  const id = isObject(container) ? container['id'] : container
  return typeof id === 'string' ? id : undefined
}

function runsCode({ tools }: JsonObject): boolean {
  return objectsOf(tools).some((tool) => stringOf(tool['type']).startsWith('code_execution'))
}

function makeContainerId(at: number, n: number): string {
  const time = at.toString(36).padStart(TIME_CHARS, '0')
  const number = n.toString(36)
  return `container_01${time}${tagOf(time, number)}${number}`
}

function readContainerId(id: string): number | undefined {
  const [, time = '', tag, number = ''] =
    new RegExp(`^container_01(\\w{${TIME_CHARS}})(\\w{${TAG_CHARS}})(\\w+)$`).exec(id) ?? []
  return tag === tagOf(time, number) ? parseInt(time, 36) : undefined
}

function tagOf(time: string, number: string): string {
  return mac('outage-lab', `container ${time} ${number}`).replaceAll(/[-_]/g, 'x').slice(0, TAG_CHARS)
}

function fileIds(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(fileIds)
  if (!isObject(value)) return []
  const upload = value['type'] === 'file' || value['type'] === 'container_upload'
  if (upload && typeof value['file_id'] === 'string') return [value['file_id']]
  return [value['content'], value['source']].flatMap(fileIds)
}
