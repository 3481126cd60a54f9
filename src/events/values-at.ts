/**
 * Every value that a path of the catalogue leads to. A path is own keys joined by dots, `[]` after a key stands for each element of the
 * array there: `user.registrations[].tokens`. What is missing on the way counts as one `undefined`; an empty array has no values.
 */
export function valuesAt(event: unknown, path: string): readonly unknown[] {
  const values: unknown[] = []
  collect(event, stepsOf(path), values)
  return values
}

/** Every text that these paths lead to, but empty ones. */
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

/** Read once: a path is asked for with every event. There are as many as are written in our code. */
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
  // The proof of `as`: a non-null object may be asked for any key, and hasOwn keeps __proto__ and constructor out.
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}
