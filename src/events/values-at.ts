/**
 * Every value at a path of the catalogue. A path is own keys joined by dots; `[]` after a key means each element of the array there:
 * `user.registrations[].tokens`. A missing key gives one `undefined`; an empty array gives no values.
 */
export function valuesAt(event: unknown, path: string): readonly unknown[] {
  const values: unknown[] = []
  collect(event, stepsOf(path), values)
  return values
}

/** Every text at these paths, without empty ones. */
export function textsAt(event: unknown, paths: readonly string[]): readonly string[] {
  return paths
    .flatMap((path) => valuesAt(event, path))
    .filter((text) => typeof text === 'string' && text !== '')
    .map(String)
}

interface Step {
  readonly key: string
  readonly each: boolean
}

function collect(from: unknown, steps: readonly Step[], values: unknown[]): void {
  let value = from
  for (const [index, { key, each }] of steps.entries()) {
    value = ownValue(value, key)
    if (!each) continue
    if (Array.isArray(value)) {
      const rest = steps.slice(index + 1)
      for (const one of value) collect(one, rest, values)
      return
    }
    value = undefined
  }
  values.push(value)
}

/** Cached, because each path is read for every event. The number of paths is fixed: they are written in the code. */
function stepsOf(path: string): readonly Step[] {
  let steps = stepsByPath.get(path)
  if (steps === undefined) {
    steps = path.split('.').map((step) => {
      const each = step.endsWith('[]')
      return { key: each ? step.slice(0, -2) : step, each }
    })
    stepsByPath.set(path, steps)
  }
  return steps
}

const stepsByPath = new Map<string, readonly Step[]>()

function ownValue(value: unknown, key: string): unknown {
  // Proof of `as`: any key of a non-null object may be read. hasOwn keeps __proto__ and constructor out.
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}
