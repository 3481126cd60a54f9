/** Calls `next` synchronously when the value is not a promise. Saves a microtask and an allocation per request. */
export function whenThere<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Like `Promise.all`, but returns the values synchronously when none of them is a promise. */
export function allThere<T>(values: readonly (T | Promise<T>)[]): readonly T[] | Promise<readonly T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as readonly T[]) // None is a promise.
}
