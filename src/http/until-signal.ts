/** Calls `work` once, at the first signal or the first call of the program. */
export interface Stop {
  (): Promise<void>
  /** From now on signals do what they do without us. */
  ignoreSignals(): void
}

/** Makes SIGTERM and SIGINT call `work`. Returns what calls it without a signal; it runs once, whoever calls. */
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
