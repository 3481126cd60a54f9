/** Resolves at SIGTERM, at SIGINT, which is Ctrl+C, and at SIGHUP, when the terminal is closed. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', stop)
      resolve()
    }
    process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop)
  })
}
