/** What a worker tells the harness: that it could begin, and at each request how many it has handled. */
export type Told = 'ready' | { readonly handled: number }

/** Makes this process a worker of a benchmark, which begins when it is told and ends with the harness. */
export function work(start: (handled: () => void) => Promise<unknown>): void {
  let handled = 0
  const tell = (told: Told) => process.send?.(told)
  process.on('message', (said) => {
    if (said === 'begin') void start(() => handled++)
    else tell({ handled })
  })
  process.on('disconnect', () => process.exit())
  tell('ready')
}

/** The handler that is measured with: nothing, or a wait as for another service. */
export async function handling(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}
