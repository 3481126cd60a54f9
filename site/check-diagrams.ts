// Exits 1 when Mermaid cannot read a diagram of the pages: in the browser it would show its source.
import { globSync, readFileSync } from 'node:fs'
import DOMPurify from 'dompurify'

// Mermaid asks it to clean labels even where it only parses, and outside a browser it has nothing to do that with.
Object.assign(DOMPurify, { addHook: () => {}, sanitize: (text: string) => text })
const { default: mermaid } = await import('mermaid')

process.chdir(new URL('..', import.meta.url).pathname)
for (const page of globSync(['*.md', 'docs/**/*.md'])) {
  for (const [, source = ''] of readFileSync(page, 'utf8').matchAll(/^```mermaid\n([^]*?)^```$/gm)) {
    await mermaid.parse(source).catch((error: unknown) => {
      console.error(`${page}: ${String(error)}`)
      process.exitCode = 1
    })
  }
}
