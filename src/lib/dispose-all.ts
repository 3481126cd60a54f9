/** One disposable for all of these. Node 22 has no DisposableStack. */
export function disposeAll(all: readonly (Disposable | undefined)[]): Disposable {
  return {
    [Symbol.dispose]() {
      for (const one of all) one?.[Symbol.dispose]()
    },
  }
}
