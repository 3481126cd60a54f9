/** Whether `await` would wait for it: a promise, a query builder, a stub that is a function or a proxy. Reads `then` as `await` does. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return typeof (value as { readonly then?: unknown }).then === 'function' // Any member of an object may be read.
}
