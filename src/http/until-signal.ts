/** Makes SIGTERM and SIGINT call `work`. Returns what calls it without a signal; it runs once, whoever calls. */
export function untilSignal(work: () => Promise<void>, signals = true): () => Promise<void> {
  let running: Promise<void> | undefined
  const stop = () => {
    process.off('SIGTERM', bySignal).off('SIGINT', bySignal)
    return (running ??= work())
  }
  const bySignal = () => void stop()
  if (signals) process.once('SIGTERM', bySignal).once('SIGINT', bySignal)
  return stop
}
