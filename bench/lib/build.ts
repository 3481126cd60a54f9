import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as Emulator from '../../src/emulator/index.ts'
import type * as Postgres from '../../src/engines/postgres/index.ts'
import type * as Sqlite from '../../src/engines/sqlite/index.ts'
import type * as Node from '../../src/http/node.ts'
import type * as Fusewire from '../../src/index.ts'

/** The package as `npm run build` makes it: of the working tree, or of the commit that `--against` names. */
export interface Build {
  /** `today`, or the commit as it was named. */
  readonly name: string
  /** Holds package.json and dist/. */
  readonly folder: string
}

/** What the package exports at each subpath. The types are today's: a program may use only what both builds have. */
interface Exports {
  readonly '.': typeof Fusewire
  readonly './node': typeof Node
  readonly './sqlite': typeof Sqlite
  readonly './postgres': typeof Postgres
  readonly './emulator': typeof Emulator
}

/** Imports one subpath of a build. Two builds in one process share nothing. */
export async function importFrom<Subpath extends keyof Exports>(
  { folder, name }: Build,
  subpath: Subpath,
): Promise<Exports[Subpath]> {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest // npm's format.
  const file = manifest.exports[subpath]
  if (typeof file !== 'object') throw new Error(`The build of ${name} does not export '${subpath}'.`)
  return import(pathToFileURL(join(folder, file.default)).href)
}

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

const variable = 'BENCH_BUILD'

/** The environment in which a program's `imported` takes this build. */
export function environmentOf(build: Build): NodeJS.ProcessEnv {
  return { ...process.env, [variable]: JSON.stringify(build) }
}

/** For a program that the harness started: the build that it was started with. */
export function ownBuild(): Build {
  return JSON.parse(process.env[variable] ?? '') as Build // As `environmentOf` writes it.
}

/** For a program that the harness started: one subpath of the build that it was started with. */
export function imported<Subpath extends keyof Exports>(subpath: Subpath): Promise<Exports[Subpath]> {
  return importFrom(ownBuild(), subpath)
}
