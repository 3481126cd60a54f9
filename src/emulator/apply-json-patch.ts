import { isDeepStrictEqual } from 'node:util'
import { isFields, type Fields } from './fields.ts'

/** RFC 6902, on a copy of `target`. Returns undefined when an operation cannot be applied. */
export function applyJsonPatch(target: Fields, operations: readonly unknown[]): Fields | undefined {
  const document: Document = { root: structuredClone(target) }
  for (const operation of operations) {
    if (!isFields(operation) || !apply(document, operation)) return undefined
  }
  return isFields(document.root) ? document.root : undefined
}

interface Document {
  root: unknown
}

function apply(document: Document, operation: Fields): boolean {
  const { op, path, from, value } = operation
  if (typeof path !== 'string') return false
  switch (op) {
    case 'add':
      return Object.hasOwn(operation, 'value') && insert(document, path, value)
    case 'replace':
      return (
        Object.hasOwn(operation, 'value') && remove(document, path).found && insert(document, path, value)
      )
    case 'remove':
      return remove(document, path).found
    case 'test': {
      const { found, value: present } = find(document, path)
      return found && isDeepStrictEqual(present, value)
    }
    case 'copy':
    case 'move': {
      if (typeof from !== 'string') return false
      const source = op === 'move' ? remove(document, from) : find(document, from)
      return source.found && insert(document, path, structuredClone(source.value))
    }
    default:
      return false
  }
}

interface Place {
  readonly container: object
  /** The key in the container: `root` of the document for the empty pointer. */
  readonly key: string
}

/** The place of a JSON pointer (RFC 6901), whether it has a value or not. Undefined when its container does not exist. */
function placeOf(document: Document, pointer: string): Place | undefined {
  if (pointer !== '' && !pointer.startsWith('/')) return undefined
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (keys.includes('__proto__')) return undefined
  let place: Place = { container: document, key: 'root' }
  for (const key of keys) {
    if (!hasValue(place)) return undefined
    const container: unknown = Reflect.get(place.container, place.key)
    if (typeof container !== 'object' || container === null) return undefined
    place = { container, key }
  }
  return place
}

/** The `length` of an array is a key of its own, but not an element. */
function hasValue({ container, key }: Place): boolean {
  return Object.hasOwn(container, key) && (!Array.isArray(container) || isIndex(key))
}

function isIndex(key: string): boolean {
  return /^(0|[1-9]\d*)$/.test(key)
}

interface Found {
  readonly found: boolean
  readonly value?: unknown
}

function find(document: Document, pointer: string): Found {
  const place = placeOf(document, pointer)
  return place !== undefined && hasValue(place)
    ? { found: true, value: Reflect.get(place.container, place.key) }
    : { found: false }
}

function remove(document: Document, pointer: string): Found {
  const found = find(document, pointer)
  const place = placeOf(document, pointer)
  if (!found.found || place === undefined) return { found: false }
  if (Array.isArray(place.container)) place.container.splice(Number(place.key), 1)
  else Reflect.deleteProperty(place.container, place.key)
  return found
}

function insert(document: Document, pointer: string, value: unknown): boolean {
  const place = placeOf(document, pointer)
  if (place === undefined) return false
  const { container, key } = place
  if (!Array.isArray(container)) return Reflect.set(container, key, value)
  if (key === '-') container.push(value)
  else if (isIndex(key) && Number(key) <= container.length) container.splice(Number(key), 0, value)
  else return false
  return true
}
