import { isEventType } from '../../events/catalogue.ts'
import { valuesAt } from '../../events/values-at.ts'
import { type Places, placesOf } from '../../events/places.ts'
import type { ParsedEvent } from '../../model/parsed-event.ts'

/** What is taken out of a body before it is kept. */
export interface Redaction {
  /** Paths below `event`, of every type. Those of a user or a registration hold wherever the type has one. */
  readonly also: readonly string[]
  /** Secret paths of the catalogue that are kept all the same. */
  readonly except: readonly string[]
}

/**
 * The body without the values of its secret paths: a text becomes "[redacted]", an object {}, an array [], anything else null. Every other
 * byte stays as it is. It reads the text, not a parse of it, so numbers, repeated members and depth survive.
 */
export function createRedactor({
  also,
  except,
}: Redaction): (event: ParsedEvent, body: Uint8Array) => Uint8Array {
  const plans = new Map<string, Plan>()

  function planOf(type: string): Plan {
    const known = isEventType(type) ? type : ''
    let plan = plans.get(known)
    if (plan === undefined) {
      const places = placesOf(type)
      const secrets = places.secrets.filter((path) => !except.includes(path))
      plan = planFor(secrets, [...new Set(also.flatMap((path) => wherever(path, places)))])
      plans.set(known, plan)
    }
    return plan
  }

  return (event, body) => {
    const plan = planOf(event.type)
    const { paths, root } = plan
    // Most events carry none, and reading the text takes longer than asking.
    if (!paths.some((path) => valuesAt(event, path).some(isSomething)) && !saysMore(event, body, plan)) {
      return body
    }
    const replacements: Replacement[] = []
    read(body, skipSpace(body, 0), root, replacements)
    return replaced(body, replacements)
  }
}

interface Plan {
  readonly paths: readonly string[]
  /** What they lead to, arrays as a whole. */
  readonly members: readonly string[]
  /** Finds their names in a text, and escapes, by which a name can be hidden. */
  readonly mentions: RegExp
  readonly root: Place
}

/**
 * Where else a path holds: `user.data` at every user of the type, `registration.data` at every registration, in a user or by itself, and
 * `user.registrations[].data` at the same.
 */
function wherever(path: string, { users, registrations }: Places): readonly string[] {
  const [, ofUser] = /^user\.(.+)$/.exec(path) ?? []
  const [, ofRegistration] = /^(?:user\.registrations\[\]|registration)\.(.+)$/.exec(path) ?? []
  return [
    path,
    ...(ofUser === undefined ? [] : users.map((at) => `${at}.${ofUser}`)),
    ...(ofRegistration === undefined
      ? []
      : [...registrations, ...users.map((at) => `${at}.registrations[]`)].map(
          (at) => `${at}.${ofRegistration}`,
        )),
  ]
}

function planFor(secrets: readonly string[], also: readonly string[]): Plan {
  const paths = [...secrets, ...also]
  const members = [...new Set(paths.map((path) => path.replace(/\[\]$/, '')))]
  const names = new Set(members.map((path) => path.slice(path.lastIndexOf('.') + 1)))
  const written = [...names].map((name) => bytesOf(Buffer.from(JSON.stringify(name))))
  const patterns = [...written, '\\'].map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
  return { paths, members, mentions: new RegExp(patterns.join('|'), 'g'), root: rootOf(secrets, also) }
}

/**
 * Whether the text may hold a secret that its parse does not: of members that are repeated only the last is parsed. Counts where their names
 * stand, and takes no chances with what is written in escapes.
 */
function saysMore(event: ParsedEvent, body: Uint8Array, { members, mentions }: Plan): boolean {
  const mentioned = members.length === 0 ? null : bytesOf(body).match(mentions)
  if (mentioned === null) return false
  if (mentioned.includes('\\')) return true
  const parsed = members.flatMap((path) => valuesAt(event, path)).filter((value) => value !== undefined)
  return mentioned.length > parsed.length
}

/** A character for each byte. */
function bytesOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** FusionAuth sends a cleared credential as null, or, of recovery codes, as an empty list. */
function isSomething(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return value !== undefined && value !== null && value !== ''
}

/** Secret paths as a tree. */
interface Place {
  readonly members: Map<string, Place>
  each?: Place
  /**
   * `unless an object`: in some types a credential (`jwt.refresh` has a token in `original`), in others an object that holds some. Of an
   * object only those go.
   */
  secret?: 'always' | 'unless an object'
}

function newPlace(): Place {
  return { members: new Map() }
}

function rootOf(secrets: readonly string[], also: readonly string[]): Place {
  const root = newPlace()
  const places = secrets.map((path) => placeAt(root, path))
  for (const place of places) place.secret = place.members.size > 0 ? 'unless an object' : 'always'
  for (const path of also) placeAt(root, path).secret = 'always'
  return root
}

function placeAt(root: Place, path: string): Place {
  let place = root
  for (const step of `event.${path}`.split('.')) {
    place = member(place, step.endsWith('[]') ? step.slice(0, -2) : step)
    if (step.endsWith('[]')) place = place.each ??= newPlace()
  }
  return place
}

function member({ members }: Place, key: string): Place {
  const there = members.get(key) ?? newPlace()
  members.set(key, there)
  return there
}

interface Replacement {
  readonly from: number
  readonly to: number
  readonly by: string
}

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const openArray = 0x5b
const closeArray = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/** Reads the value that begins at `at`, which is JSON, and gives where it ends. Goes no deeper than the paths do. */
function read(json: Uint8Array, at: number, place: Place | undefined, into: Replacement[]): number {
  const first = json[at]
  if (place?.secret === 'always' || (place?.secret !== undefined && first !== openObject)) {
    const to = skip(json, at)
    if (first !== quote || to - at > 2) into.push({ from: at, to, by: standIn(first) }) // "" has nothing to hide.
    return to
  }
  if (place !== undefined && first === openObject) return readObject(json, at, place, into)
  if (place?.each !== undefined && first === openArray) return readArray(json, at, place.each, into)
  return skip(json, at)
}

function readObject(json: Uint8Array, start: number, place: Place, into: Replacement[]): number {
  let at = skipSpace(json, start + 1)
  while (json[at] !== closeObject) {
    const keyEnd = skip(json, at)
    const key = textOf(json.subarray(at, keyEnd))
    at = skipSpace(json, skipSpace(json, keyEnd) + 1) // The colon.
    at = skipSpace(json, read(json, at, place.members.get(key), into))
    if (json[at] === comma) at = skipSpace(json, at + 1)
  }
  return at + 1
}

function readArray(json: Uint8Array, start: number, each: Place, into: Replacement[]): number {
  let at = skipSpace(json, start + 1)
  while (json[at] !== closeArray) {
    at = skipSpace(json, read(json, at, each, into))
    if (json[at] === comma) at = skipSpace(json, at + 1)
  }
  return at + 1
}

/** Where the value that begins at `at` ends, however deep it is. */
function skip(json: Uint8Array, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const byte = json[at]
    if (byte === quote) {
      for (at++; json[at] !== quote && at < json.length; at++) if (json[at] === backslash) at++
      if (depth === 0) return at + 1
    } else if (byte === openObject || byte === openArray) depth++
    else if (byte === closeObject || byte === closeArray) {
      if (depth <= 1) return depth === 1 ? at + 1 : at
      depth--
    } else if (depth === 0 && (byte === comma || isSpace(byte))) return at
  }
  return json.length
}

function skipSpace(json: Uint8Array, start: number): number {
  let at = start
  while (isSpace(json[at])) at++
  return at
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function textOf(key: Uint8Array): string {
  const text = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString()
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1)
}

function standIn(first: number | undefined): string {
  if (first === quote) return '"[redacted]"'
  if (first === openObject) return '{}'
  return first === openArray ? '[]' : 'null'
}

function replaced(json: Uint8Array, replacements: readonly Replacement[]): Uint8Array {
  let end = 0
  const pieces: Uint8Array[] = []
  for (const { from, to, by } of replacements) {
    pieces.push(json.subarray(end, from), Buffer.from(by))
    end = to
  }
  return Buffer.concat([...pieces, json.subarray(end)])
}
