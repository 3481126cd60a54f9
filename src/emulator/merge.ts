import { isFields, type Fields } from './json.ts'

/** RFC 7396: objects merge, null removes, everything else replaces. `__proto__` is not a field. */
export function merge(target: Fields, patch: Fields): Fields {
  const merged = new Map(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    if (name === '__proto__') continue
    const before = merged.get(name)
    if (value === null) merged.delete(name)
    else merged.set(name, isFields(value) ? merge(isFields(before) ? before : {}, value) : value)
  }
  return Object.fromEntries(merged)
}

/** RFC 6902, on a copy. Returns undefined when an operation cannot be applied. */
export function applyOperations(target: Fields, operations: readonly unknown[]): Fields | undefined {
  const document: Holder = { root: structuredClone(target) }
  for (const operation of operations) {
    if (!isFields(operation) || !apply(document, operation)) return undefined
  }
  return isFields(document.root) ? document.root : undefined
}

interface Holder {
  root: unknown
}

function apply(document: Holder, operation: Fields): boolean {
  const { op, path, from, value } = operation
  if (typeof path !== 'string') return false
  switch (op) {
    case 'add':
      return put(document, path, value, true)
    case 'replace':
      return take(document, path).found && put(document, path, value, true)
    case 'remove':
      return take(document, path).found
    case 'test':
      return JSON.stringify(look(document, path).value) === JSON.stringify(value)
    case 'copy':
    case 'move': {
      if (typeof from !== 'string') return false
      const source = op === 'move' ? take(document, from) : look(document, from)
      return source.found && put(document, path, structuredClone(source.value), true)
    }
    default:
      return false
  }
}

/** The container a pointer ends in, and the last step: `root` of the document for the empty pointer. */
function locate(document: Holder, pointer: string): { container: object; step: string } | undefined {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (steps.includes('__proto__')) return undefined
  let container: object = document
  let step = 'root'
  for (const next of steps) {
    const inner: unknown = Reflect.get(container, step)
    if (!Object.hasOwn(container, step) || typeof inner !== 'object' || inner === null) return undefined
    container = inner
    step = next
  }
  return { container, step }
}

interface Found {
  readonly found: boolean
  readonly value?: unknown
}

function look(document: Holder, pointer: string): Found {
  const at = locate(document, pointer)
  return at !== undefined && Object.hasOwn(at.container, at.step)
    ? { found: true, value: Reflect.get(at.container, at.step) }
    : { found: false }
}

function take(document: Holder, pointer: string): Found {
  const found = look(document, pointer)
  const at = locate(document, pointer)
  if (!found.found || at === undefined) return { found: false }
  if (Array.isArray(at.container)) at.container.splice(Number(at.step), 1)
  else Reflect.deleteProperty(at.container, at.step)
  return found
}

function put(document: Holder, pointer: string, value: unknown, insert: boolean): boolean {
  const at = locate(document, pointer)
  if (at === undefined) return false
  if (insert && Array.isArray(at.container)) {
    const index = at.step === '-' ? at.container.length : Number(at.step)
    if (!Number.isInteger(index) || index < 0 || index > at.container.length) return false
    at.container.splice(index, 0, value)
    return true
  }
  return Reflect.set(at.container, at.step, value)
}
