import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { linkToPages } from './link-to-pages.ts'
import { placeDiagrams } from './place-diagrams.ts'
import { sidebar } from './sidebar.ts'
import { sitePath } from './site-path.ts'

const manifest: { version: string; description: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
)

export default defineConfig({
  title: 'Fusewire',
  description: manifest.description,
  lang: 'en',
  base: process.env['DOCS_BASE'] ?? '/', // The path of a host that has the site in a folder.
  srcDir: '..',
  srcExclude: ['!(docs)/**/*.md'],
  rewrites: sitePath,
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  markdown: {
    anchor: { slugify },
    config(md) {
      linkToPages(md)
      placeDiagrams(md)
    },
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/getting-started' },
      { text: 'Guides', link: '/lifecycle' },
      { text: 'Operate', link: '/operate' },
      { text: 'Reference', link: '/reference/', activeMatch: '^/reference/' },
      { text: manifest.version, link: '/changelog' },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: 'local' },
  },
})

/** As code hosts name headings, so that a link to a heading works there and here. */
function slugify(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}
