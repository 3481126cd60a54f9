import { existsSync } from 'node:fs'

/**
 * The file that a thread runs: in the source, in the package next to the engine's index.js, or relative to a shared chunk of the package.
 * Undefined in a program that bundles this package, because the bundle does not contain the file.
 */
export function threadFile(name: 'read/reader' | 'storage/disk-worker'): URL | undefined {
  const places = [`../${name}.ts`, `./${name}.js`, `../engines/sqlite/${name}.js`]
  return places.map((place) => new URL(place, import.meta.url)).find((url) => existsSync(url))
}
