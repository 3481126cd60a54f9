import * as v from 'valibot'
import { isObject } from '../../lib/json-object.ts'
import { parseJson } from '../../lib/parse-json.ts'
import { readText } from '../../lib/read-text.ts'
import { Refusal } from './refusal.ts'
import type { InputSchema, ParsedOf, Route } from './routes.ts'

const bodyLimit = 64 * 1024

/** Reads what a request says as its route's schemas have it. Throws a Refusal that says what is wrong. */
export async function readInput<R extends Route>(
  route: R,
  request: Request,
  params: Readonly<Record<string, string>>,
): Promise<ParsedOf<R>> {
  const read = {
    ...(route.params !== undefined && { params: parse(route.params, params) }),
    ...(route.query !== undefined && { query: parse(route.query, queryOf(request)) }),
    ...(route.body !== undefined && { body: parse(route.body, await bodyOf(request)) }),
  }
  return read as ParsedOf<R> // Each part as its schema gives it.
}

/** A name that comes several times has a list. */
function queryOf({ url }: Request): object {
  const { searchParams } = new URL(url)
  return Object.fromEntries(
    [...new Set(searchParams.keys())].map((name) => {
      const values = searchParams.getAll(name)
      return [name, values.length === 1 ? values[0] : values]
    }),
  )
}

async function bodyOf({ headers, body }: Request): Promise<object> {
  if (!/^application\/json\b/i.test(headers.get('content-type') ?? '')) throw new Refusal('mediaType')
  const isTooLarge = Number(headers.get('content-length')) > bodyLimit
  const text = isTooLarge ? undefined : await readText(body, bodyLimit)
  if (text === undefined) throw new Refusal('tooLarge', `The body is larger than ${bodyLimit} bytes.`)
  const value = parseJson(text)
  if (!isObject(value)) throw new Refusal('invalidJSON')
  return value
}

function parse(schema: InputSchema, given: object): unknown {
  // By a misspelt filter a request would mean more events than its sender. Own names only: valibot knows `constructor`, too.
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(schema.entries, name))
  if (unknown !== undefined)
    throw new Refusal('badRequest', unknownName(unknown, Object.keys(schema.entries)))
  const { success, output, issues } = v.safeParse(schema, given, {
    abortEarly: true,
    message: 'is of the wrong kind.', // In place of valibot's own messages, which quote the value.
  })
  if (success) return output
  throw new Refusal('badRequest', complaint(schema, issues[0]))
}

function unknownName(name: string, known: readonly string[]): string {
  const printable = JSON.stringify(name.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, '?'))
  return `There is no ${printable} here; there is ${known.join(', ') || 'nothing to give'}.`
}

function complaint({ entries }: InputSchema, { type, path, message }: v.BaseIssue<unknown>): string {
  const name = String(path?.[0]?.key)
  const entry = entries[name]
  // The object itself complains where a member is missing.
  if (type !== 'strict_object' || entry === undefined) return `${name} ${message}`
  return `${name} is missing. It says: ${v.getDescription(entry as v.GenericSchema)}`
}
