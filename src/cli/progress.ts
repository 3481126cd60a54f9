/** A bar on stderr, while that is a terminal and the work takes longer than a glance. */
export function progress(label: string, total: number): { at(done: number): void } & Disposable {
  const begun = performance.now()
  let drawnAt = begun
  let drawn = false
  const live = process.stderr.isTTY
  return {
    at(done) {
      const now = performance.now()
      if (!live || now - begun < 300 || now - drawnAt < 100) return
      drawnAt = now
      drawn = true
      const share = total === 0 ? 1 : done / total
      const bar = '█'.repeat(Math.round(share * 24)).padEnd(24, '░')
      process.stderr.write(
        `\r\u001B[K${label} ${bar} ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`,
      )
    },
    [Symbol.dispose]() {
      if (drawn) process.stderr.write('\r\u001B[K')
    },
  }
}
