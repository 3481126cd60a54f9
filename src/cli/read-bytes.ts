import { readFileSync } from 'node:fs'
import { isObject, type JsonObject } from '../lib/json-object.ts'
import { parseJson } from '../lib/parse-json.ts'
import { codeOf } from '../lib/code-of.ts'
import { misused } from './failure.ts'
import { text } from './text.ts'

/** A file that was named on the command line; `-` is standard input. */
export function readBytes(file: string, option: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    const why = reasons[codeOf(error) ?? ''] ?? `cannot be read (${codeOf(error) ?? 'unknown'})`
    throw misused(text`${option}: ${file === '-' ? 'standard input' : file} ${why}.`, { cause: error })
  }
}

export function readJsonObject(file: string, option: string): JsonObject {
  const value = parseJson(readBytes(file, option).toString())
  if (isObject(value)) return value
  throw misused(text`${option}: ${file} is not a JSON object.`)
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by you',
  EISDIR: 'is a folder',
}
