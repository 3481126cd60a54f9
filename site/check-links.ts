// Exits 1 when a link of the built site leads nowhere: to a page, a file or a heading that is not there.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('.vitepress/dist/', import.meta.url))
const base = process.env['DOCS_BASE'] ?? '/'
const pages = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.html'),
)
const anchors = new Map(pages.map((page) => [page, new Set(valuesOf(page, 'id'))]))

const dead = pages.flatMap((page) =>
  [...new Set(valuesOf(page, 'href'))].filter((href) => isDead(href, page)).map((href) => `${page}: ${href}`),
)
for (const line of dead) console.error(`dead link in ${line}`)
if (dead.length > 0) process.exitCode = 1
else console.log(`Every link of ${pages.length} pages leads somewhere.`)

function isDead(href: string, page: string): boolean {
  if (/^[a-z]+:/.test(href)) return false
  const { pathname, hash } = new URL(href, `http://site${base}${page}`)
  const path = decodeURIComponent(pathname).slice(base.length)
  const file = path === '' || path.endsWith('/') ? `${path}index.html` : path
  const ids = anchors.get(file)
  if (ids === undefined) return !existsSync(dist + file)
  return hash !== '' && !ids.has(decodeURIComponent(hash.slice(1)))
}

function valuesOf(page: string, attribute: 'id' | 'href'): readonly string[] {
  const html = readFileSync(dist + page, 'utf8')
  return [...html.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g'))].map(([, value = '']) =>
    value.replaceAll('&amp;', '&'),
  )
}
