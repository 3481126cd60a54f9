import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { pages, proseOf, root } from './pages.ts'

test.each(pages)('every link of %s leads somewhere', (page) => {
  const dead = linksOf(page).filter(({ path, anchor }) => {
    if (!existsSync(path)) return true
    return anchor !== undefined && !anchorsOf(path).includes(anchor)
  })
  expect(dead.map(({ href }) => href)).toEqual([])
})

test.each(pages)('every test that %s names is there', (page) => {
  const quoting = linksOf(page).filter(({ text }) => /^“.*”$/.test(text))
  const missing = quoting.filter(({ text, path }) => !readFileSync(path, 'utf8').includes(text.slice(1, -1)))
  expect(missing.map(({ text }) => text)).toEqual([])
})

interface Link {
  readonly text: string
  readonly href: string
  readonly path: string
  readonly anchor: string | undefined
}

/** The links that stay in the repository. */
function linksOf(page: string): readonly Link[] {
  return [...proseOf(page).matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)]
    .map(([, text = '', href = '']) => ({ text, href }))
    .filter(({ href }) => !/^(https?|mailto):/.test(href))
    .map(({ text, href }) => {
      const [file = '', anchor] = href.split('#')
      return { text, href, anchor, path: file === '' ? join(root, page) : join(root, dirname(page), file) }
    })
}

/** As the usual renderers name headings. */
function anchorsOf(path: string): readonly string[] {
  const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
