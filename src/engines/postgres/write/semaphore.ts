/** Gives at most so many turns at a time, in the order in which they are asked for. A turn is given back when it is disposed. */
export function createSemaphore(limit: () => Promise<number>): () => Promise<Disposable> {
  const waiting: (() => void)[] = []
  let taken = 0
  return async () => {
    const most = await limit()
    if (taken < most) taken++
    else await new Promise<void>((resolve) => waiting.push(resolve))
    return {
      [Symbol.dispose]() {
        const next = waiting.shift()
        if (next === undefined) taken--
        else next()
      },
    }
  }
}
