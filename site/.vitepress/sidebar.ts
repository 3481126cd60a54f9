import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DefaultTheme } from 'vitepress'

const root = fileURLToPath(new URL('../..', import.meta.url))
const reference = join(root, 'docs/reference')

/** The pages in the order in which somebody needs them. */
const groups = {
  Start: ['getting-started', 'configure-fusionauth', 'frameworks', 'recipes'],
  Guides: ['lifecycle', 'gates', 'handlers', 'inbox', 'privacy', 'testing', 'emulator', 'serverless'],
  Operate: ['operate', 'observe', 'runbook', 'scaling', 'backup', 'upgrading', 'security'],
  Reference: ['guarantees', 'events', 'errors', 'cli', 'admin-api'],
} as const

const kinds = {
  classes: 'Classes',
  functions: 'Functions',
  interfaces: 'Interfaces',
  'type-aliases': 'Types',
}

/** Every page of docs/ has a place: one that no group names stands last among the guides. */
export function sidebar(): DefaultTheme.SidebarMulti {
  return { '/': pages(), '/reference/': api() }
}

function pages(): DefaultTheme.SidebarItem[] {
  const named: readonly string[] = Object.values(groups).flat()
  const unnamed = pagesIn(join(root, 'docs')).filter((name) => !named.includes(name))
  return [
    ...Object.entries(groups).map(([text, names]) => ({
      text,
      items: [
        ...[...names, ...(text === 'Guides' ? unnamed : [])].map(pageItem),
        ...(text === 'Reference' ? [{ text: 'TypeScript', link: '/reference/' }] : []),
      ],
    })),
    {
      text: 'Project',
      items: [
        { text: 'Changes', link: '/changelog' },
        { text: 'Contributing', link: '/contributing' },
        { text: 'Reporting a vulnerability', link: '/security-policy' },
      ],
    },
  ]
}

function pageItem(name: string): DefaultTheme.SidebarItem {
  const [, title = name] = /^# (.*)$/m.exec(readFileSync(join(root, `docs/${name}.md`), 'utf8')) ?? []
  return { text: title, link: `/${name}` }
}

function api(): DefaultTheme.SidebarItem[] {
  const others = foldersIn(join(reference, 'fusewire')).filter((name) => !(name in kinds))
  return [
    { text: 'All pages', link: '/' },
    ...['fusewire', ...others.map((name) => `fusewire/${name}`)].map((subpath) => ({
      text: subpath,
      link: `/reference/${subpath}/`,
      collapsed: true,
      items: Object.entries(kinds).flatMap(([folder, text]) => {
        const items = pagesIn(join(reference, subpath, folder)).map((name) => ({
          text: name,
          link: `/reference/${subpath}/${folder}/${name}`,
        }))
        return items.length === 0 ? [] : [{ text, collapsed: items.length > 20, items }]
      }),
    })),
  ]
}

/** The names of a folder's pages; none of a folder that does not exist. */
function pagesIn(folder: string): readonly string[] {
  return entriesOf(folder).flatMap((entry) =>
    entry.name.endsWith('.md') ? [entry.name.replace('.md', '')] : [],
  )
}

function foldersIn(folder: string): readonly string[] {
  return entriesOf(folder).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
}

function entriesOf(folder: string): readonly Dirent[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
