import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MarkdownRenderer } from 'vitepress'
import { sitePath } from './site-path.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { repository }: { repository?: { url: string } } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)

/**
 * Makes links between files links between pages. A link to a file that is no page goes to the code host or, as long as `package.json` names
 * none, becomes plain text.
 *
 * @throws At a link to a file that does not exist.
 */
export function linkToPages(md: MarkdownRenderer): void {
  md.core.ruler.push('link-to-pages', ({ tokens, env }) => {
    const page: string = env.realPath ?? env.path
    for (const { children } of tokens) {
      for (const [index, token] of (children ?? []).entries()) {
        const href = token.type === 'link_open' ? (token.attrGet('href') ?? '') : '#'
        if (/^(#|\/|[a-z]+:)/.test(href)) continue
        const [path = '', anchor] = href.split('#')
        const file = relative(root, join(dirname(page), decodeURI(path)))
        if (!existsSync(join(root, file)))
          throw new Error(`${relative(root, page)} links to ${href}, which does not exist.`)
        if (isPage(file))
          token.attrSet('href', `/${sitePath(file)}${anchor === undefined ? '' : `#${anchor}`}`)
        else if (repository !== undefined)
          token.attrSet('href', `${webAddress(repository.url)}/blob/main/${file}`)
        else {
          token.tag = 'span'
          token.attrs = [['title', file]]
          const end = children
            ?.slice(index)
            .find(({ type, level }) => type === 'link_close' && level === token.level)
          if (end !== undefined) end.tag = 'span'
        }
      }
    }
  })
}

function isPage(file: string): boolean {
  return file.endsWith('.md') && (file.startsWith('docs/') || !file.includes('/'))
}

/** `git+https://host/owner/name.git` is shown at `https://host/owner/name`. */
function webAddress(url: string): string {
  return url.replace(/^git\+/, '').replace(/\.git$/, '')
}
