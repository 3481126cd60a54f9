import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isObject } from '../lib/json-object.ts'
import { codeOf } from '../lib/code-of.ts'
import { type Failure, misused } from './failure.ts'
import { shellQuote } from './shell-quote.ts'
import { text } from './text.ts'

/** Imports a file of the user and returns its exports. */
export async function importFile(file: string): Promise<{ readonly [name: string]: unknown }> {
  const path = resolve(file)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw misused(text`${file} does not exist.`)
  if (found.isDirectory()) throw misused(text`${file} is a folder. Name the file in it.`)
  try {
    const module: unknown = await import(pathToFileURL(path).href)
    return isObject(module) ? module : {}
  } catch (error) {
    throw notRun(file, path, error)
  }
}

function notRun(file: string, path: string, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error)
  const cause = { cause: error }
  if (codeOf(error) === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return misused(text`${file} cannot be run: only .ts, .mts, .js and .mjs are.`, cause)
  }
  if (isReadAsCommonJs(error)) {
    const name = file.replace(/\.([jt]s)$/, '.m$1')
    return misused(
      text`${file} is read as CommonJS: name it ${name}, or put "type": "module" into package.json (npm pkg set type=module).`,
      cause,
    )
  }
  const place = placeIn(error, path)
  if (place !== undefined) return misused(text`${file} cannot be run: ${why} (${place})`, cause)
  const how = error instanceof SyntaxError ? text`node ${shellQuote(file)}` : '--debug'
  return misused(text`${file} cannot be run: ${why}. ${how} shows where.`, cause)
}

/** Recognizes node's error for a file in the wrong module format. */
function isReadAsCommonJs(error: unknown): boolean {
  return (
    error instanceof SyntaxError &&
    /^(?:Cannot use import statement|Unexpected token 'export')/.test(error.message)
  )
}

/** Where the error is: the first line of a syntax error's stack, or the stack's line in the named file. */
function placeIn(error: unknown, path: string): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const [head] = /^(?:file:\/\/)?\/\S+:\d+$/m.exec(stack.split('\n', 1)[0] ?? '') ?? []
  if (head !== undefined) return head.replace('file://', '')
  const [, line] = stack.split(`${path}:`, 2)
  return line === undefined ? undefined : `${path}:${Number.parseInt(line, 10)}`
}
