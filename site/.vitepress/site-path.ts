const moved: Readonly<Record<string, string>> = {
  'README.md': 'index.md',
  'SECURITY.md': 'security-policy.md', // docs/security.md has its name.
}

/** Where the site has a page, by the page's path in the repository: `docs/cli.md` is `cli.md` there. */
export function sitePath(page: string): string {
  if (page.startsWith('docs/')) return page.replace('docs/', '').replace('README.md', 'index.md')
  return moved[page] ?? page.toLowerCase()
}
