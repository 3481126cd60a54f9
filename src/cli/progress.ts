import { formatCount } from './format-count.ts'

/** A bar on stderr, while that is a terminal and the work takes longer than a glance. Without a total it only counts. */
export function progress(label: string, total?: number): { at(done: number): void } & Disposable {
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
      process.stderr.write(`\r\u001B[K${label} ${total === undefined ? formatCount(done) : bar(done, total)}`)
    },
    [Symbol.dispose]() {
      if (drawn) process.stderr.write('\r\u001B[K')
    },
  }
}

function bar(done: number, total: number): string {
  const full = Math.round((total === 0 ? 1 : Math.min(1, done / total)) * 24)
  return `${'█'.repeat(full).padEnd(24, '░')} ${formatCount(done)} of ${formatCount(total)}`
}
