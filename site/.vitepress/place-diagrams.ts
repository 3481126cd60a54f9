import type { MarkdownRenderer } from 'vitepress'

/** Leaves the blocks tagged `mermaid` to the component that draws them. */
export function placeDiagrams(md: MarkdownRenderer): void {
  const { fence } = md.renderer.rules
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const token = tokens[index]
    if (token?.info.trim() !== 'mermaid') return fence?.(tokens, index, ...rest) ?? ''
    return `<MermaidDiagram source="${encodeURIComponent(token.content)}" />`
  }
}
