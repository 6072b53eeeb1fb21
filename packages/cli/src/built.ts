/**
 * Finds files of the published package by their place in it. A module cannot derive that from its own address: the
 * build puts many modules into one file.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const manifest = createRequire(import.meta.url).resolve('lastgood/package.json')

/** The path of a built file, for another process: `builtFile('bin/resume.js')`. */
export function builtFile(place: string): string {
  return join(dirname(manifest), 'dist', place)
}

interface Manifest {
  version: string
  engines: { node: string }
}

const readManifest = () => JSON.parse(readFileSync(manifest, 'utf8')) as Manifest

/** The version in this package's manifest. */
export function packageVersion(): string {
  return readManifest().version
}

/** The oldest Node that this package works on, as `20.19`. */
export function oldestNode(): string {
  return readManifest().engines.node.replace('>=', '')
}
