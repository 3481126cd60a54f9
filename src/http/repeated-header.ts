/**
 * The first of these headers that a request has twice. node keeps one of the values or joins them; only its raw list shows both.
 *
 * @param names In lower case.
 */
export function repeatedHeader(
  rawHeaders: readonly string[],
  names: ReadonlySet<string>,
): string | undefined {
  const seen: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    if (!names.has(name)) continue
    if (seen.includes(name)) return name
    seen.push(name)
  }
  return undefined
}
