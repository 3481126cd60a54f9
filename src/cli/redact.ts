/** A place without secrets: without a URL's user, password and query values. `env:` and `file:` references hold none. */
export function redact(place: string): string {
  const [, kind = '', url = ''] = /^(postgres:)?([a-z][a-z0-9+.-]*:\/\/.*)$/is.exec(place) ?? []
  if (url === '') return /^postgres:(?!env:|file:|-$)/.test(place) ? 'postgres:(hidden)' : place
  if (!URL.canParse(url)) return `${kind}(hidden)`
  const shown = new URL(url)
  if (shown.username !== '') shown.username = 'hidden'
  if (shown.password !== '') shown.password = 'hidden'
  for (const name of shown.searchParams.keys()) shown.searchParams.set(name, 'hidden')
  return `${kind}${shown.href}`
}
