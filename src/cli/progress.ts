import { formatCount } from './format-count.ts'

/** Draws a progress bar on stderr when that is a terminal and the work takes longer than 300 ms. Without a total it shows a count. */
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
