/** What a worker tells the harness: that it could begin, and at each request what it has done so far. */
export type Told = 'ready' | { readonly handled: number; readonly cpuMs: number }

/** Makes this process a worker of a benchmark, which begins when it is told and ends with the harness. */
export function work(start: (handled: () => void) => Promise<unknown>): void {
  let handled = 0
  const tell = (told: Told) => process.send?.(told)
  process.on('message', (said) => {
    if (said === 'begin') void start(() => handled++)
    else {
      const { user, system } = process.cpuUsage()
      tell({ handled, cpuMs: (user + system) / 1000 })
    }
  })
  process.on('disconnect', () => process.exit())
  tell('ready')
}

/** The handler that is measured with: nothing, or a wait as for another service. */
export async function handling(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
}
