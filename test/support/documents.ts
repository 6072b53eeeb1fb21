// The project's pages for people, by their path from its root.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readMarkdown, type Markdown } from './markdown.ts'

export const root = join(import.meta.dirname, '../..')

const pagesIn = (folder: string, options = {}) =>
  readdirSync(join(root, folder), { encoding: 'utf8', ...options })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `${folder}/${name}`)

export const packages = readdirSync(join(root, 'packages'), { withFileTypes: true })
  .filter((one) => one.isDirectory())
  .map(({ name }) => `packages/${name}`)
export const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...pagesIn('docs', { recursive: true }),
  ...packages.flatMap((folder) => pagesIn(folder)),
]
export const documents: ReadonlyMap<string, Markdown> = new Map(
  pages.map((path) => [path, readMarkdown(readFileSync(join(root, path), 'utf8'))]),
)

export function documentOf(path: string): Markdown {
  const document = documents.get(path)
  if (!document) throw new Error(`there is no ${path}`)
  return document
}
