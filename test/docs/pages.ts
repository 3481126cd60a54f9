import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every page people read, by its path from the root. */
export const pages: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

export interface Block {
  /** `docs/errors.md:12`, the line its code begins on. */
  readonly at: string
  /** What stands after the fence: `ts no-run`. */
  readonly tag: string
  readonly code: string
}

export function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

/** The fenced blocks of a page. */
export function blocksOf(page: string): readonly Block[] {
  const text = textOf(page)
  return [...text.matchAll(fenced)].map(({ index, 1: tag = '', 2: code = '' }) => ({
    at: `${page}:${text.slice(0, index).split('\n').length + 1}`,
    tag: tag.trim(),
    code,
  }))
}

/** The page without its fenced blocks. */
export function proseOf(page: string): string {
  return textOf(page).replaceAll(fenced, '')
}

const fenced = /^```(.*)\n([\s\S]*?)^```$/gm
