import { existsSync } from 'node:fs'

/**
 * The file that a thread runs: beside this one in the source and in the package, or reached from a chunk of the package. Undefined where it is
 * nowhere, as in a program that bundles this package.
 */
export function threadFile(name: 'reader' | 'disk-worker'): URL | undefined {
  const places = [`./${name}.ts`, `./${name}.js`, `../engines/sqlite/${name}.js`]
  return places.map((place) => new URL(place, import.meta.url)).find((url) => existsSync(url))
}
