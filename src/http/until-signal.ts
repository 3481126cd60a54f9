/** Stops once: at the first signal, or when the program calls it first. */
export interface Stop {
  (): Promise<void>
  /** Removes the signal listeners. */
  ignoreSignals(): void
}

/** Makes SIGTERM and SIGINT call `work`. Returns a function that calls it without a signal. `work` runs once. */
export function untilSignal(work: () => Promise<void>, signals = true): Stop {
  let running: Promise<void> | undefined
  const stop = () => {
    ignoreSignals()
    return (running ??= work())
  }
  const bySignal = () => void stop()
  const ignoreSignals = () => void process.off('SIGTERM', bySignal).off('SIGINT', bySignal)
  if (signals) process.once('SIGTERM', bySignal).once('SIGINT', bySignal)
  return Object.assign(stop, { ignoreSignals })
}
