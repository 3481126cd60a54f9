/** Every path of a payload, in the catalogue's form, with each value it leads to; objects and arrays before what they hold. */
export function* nodes(value: unknown, path = ''): Generator<readonly [path: string, value: unknown]> {
  if (path !== '') yield [path, value]
  if (Array.isArray(value)) for (const element of value) yield* nodes(element, `${path}[]`)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, below] of Object.entries(value))
      yield* nodes(below, path === '' ? key : `${path}.${key}`)
  }
}
