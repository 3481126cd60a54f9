// Fails when a file of src/ is not named after something it exports: settle.ts exports settle() or prepareSettle(), body-timeout.ts BodyTimeout,
// cli/verbs/serve.ts serveVerb(). A file with several alike things has the word that their names end with: labels.ts exports typeLabel and outcomeLabel.
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** Files that every engine has, the package's subpaths, files that start a process or a thread, and tables of many alike things. */
const exceptions = new Set([
  'engine.ts', // Exports memory(), sqlite() or postgres().
  'schema.ts',
  'index.ts',
  'node.ts',
  'fastify.ts',
  'aws-lambda.ts',
  'main.ts',
  'reader.ts', // What the SQLite engine's reading thread runs.
  'disk-worker.ts', // What its syncing thread runs.
  'errors.ts',
  'objects.ts', // The types of FusionAuth's objects, and made-up samples of them.
  'types.ts', // The types of its events.
  'sql.ts', // The types and the few functions by which an engine speaks SQL.
  'answer-schemas.ts',
  'input-schemas.ts',
  'option-parsers.ts', // wholeNumber, httpUrl and others read values of the command line.
])

const exported = /^export (?:async )?(?:function\*?|const|class|interface|type) ([A-Za-z0-9]+)/gm

export function misnamed(files: readonly string[]): readonly string[] {
  return files.filter((file) => {
    const name = basename(file, '.ts').replaceAll('-', '')
    if (exceptions.has(basename(file))) return false
    const names = [...readFileSync(file, 'utf8').matchAll(exported)].map(([, one = '']) => one.toLowerCase())
    const last = basename(file, '.ts').split('-').at(-1) ?? name
    const alike = names.filter((one) => one.endsWith(last) || one.endsWith(last.replace(/s$/, '')))
    const wanted = [name, `prepare${name}`, `create${name}`, `${name}verb`]
    return !names.some((one) => wanted.includes(one)) && alike.length < 2
  })
}

if (import.meta.main) {
  const wrong = misnamed(globSync('src/**/*.ts'))
  for (const file of wrong) console.error(`${file} is named after none of its exports`)
  if (wrong.length > 0) process.exitCode = 1
}
