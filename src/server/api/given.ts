import type { Context } from 'hono'
import { isObject } from '../../lib/json-object.ts'
import { parseJson } from '../../lib/parse-json.ts'
import { readText } from '../../lib/read-text.ts'
import type { AdminEnv } from '../admin.ts'
import { Refusal } from './refusal.ts'

const bodyBytes = 64 * 1024
/** Beyond it no Date goes. */
const latestMs = 8.64e15

/** What a request says, by name. Whatever is read from it is checked when it is read. */
export class Given {
  readonly #values: ReadonlyMap<string, unknown>

  constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values
  }

  /** A query string's parameters: a name that comes several times is a list. */
  static query(context: Context<AdminEnv>): Given {
    const { searchParams } = new URL(context.req.url)
    const names = [...new Set(searchParams.keys())]
    return new Given(new Map(names.map((name) => [name, oneOrMore(searchParams.getAll(name))])))
  }

  /** The members of a JSON body. */
  static async body(context: Context<AdminEnv>): Promise<Given> {
    if (!/^application\/json\b/i.test(context.req.header('content-type') ?? '')) {
      throw new Refusal(415, 'mediaType', 'Send application/json.')
    }
    const value = parseJson(await textOf(context.req.raw))
    if (!isObject(value)) throw new Refusal(400, 'invalidJSON', 'The body must be a JSON object.')
    return new Given(new Map(Object.entries(value)))
  }

  /** A name nobody knows is refused: by a misspelt filter more would be meant than was meant. */
  only(names: readonly string[]): this {
    const unknown = [...this.#values.keys()].find((name) => !names.includes(name))
    if (unknown === undefined) return this
    const printable = unknown.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, '?')
    throw wrong(`There is no ${JSON.stringify(printable)} here; there is ${names.join(', ')}.`)
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name)
    if (value === undefined || (typeof value === 'string' && value !== '')) return value
    throw wrong(`${name} must be a text, given once.`)
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#values.get(name)
    if (value === undefined) return undefined
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    if (list.every((one) => typeof one === 'string' && one !== '')) return list as readonly string[] // As was just seen.
    throw wrong(`${name} must be a text or several.`)
  }

  /** Epoch ms, also from a date as `Date` reads it. */
  instant(name: string): number | undefined {
    const value = this.#values.get(name)
    if (value === undefined) return undefined
    const text = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
    const at = typeof text === 'string' ? Date.parse(text) : text
    if (typeof at === 'number' && Math.abs(at) <= latestMs) return at
    throw wrong(`${name} must be an instant: ms since 1970, or a date like 2026-01-31T00:00:00Z.`)
  }

  wholeNumber(name: string): number | undefined {
    const value = this.#values.get(name)
    if (value === undefined) return undefined
    const number = Number(value)
    if (value !== '' && Number.isSafeInteger(number)) return number
    throw wrong(`${name} must be a whole number.`)
  }

  flag(name: string): boolean {
    const value = this.#values.get(name) ?? false
    if (typeof value === 'boolean') return value
    throw wrong(`${name} must be true or false.`)
  }
}

/** A body that is not too large, whether or not its length was told. */
async function textOf({ headers, body }: Request): Promise<string> {
  const tooLarge = new Refusal(413, 'tooLarge', `The body is larger than ${bodyBytes} bytes.`)
  if (Number(headers.get('content-length')) > bodyBytes) throw tooLarge
  const text = await readText(body, bodyBytes)
  if (text === undefined) throw tooLarge
  return text
}

function oneOrMore(values: readonly string[]): string | undefined | readonly string[] {
  return values.length === 1 ? values[0] : values
}

export function wrong(message: string): Refusal {
  return new Refusal(400, 'badRequest', message)
}
