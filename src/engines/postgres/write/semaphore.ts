/**
 * Lets at most `limit` callers in at a time, in the order in which they asked. A caller is let in when the promise resolves, and lets the
 * next one in by disposing what it resolved to.
 */
export function createSemaphore(limit: () => Promise<number>): () => Promise<Disposable> {
  const waiting: (() => void)[] = []
  let inside = 0
  return async () => {
    const most = await limit()
    if (inside < most) inside++
    else await new Promise<void>((resolve) => waiting.push(resolve))
    return {
      [Symbol.dispose]() {
        const next = waiting.shift()
        if (next === undefined) inside--
        else next()
      },
    }
  }
}
