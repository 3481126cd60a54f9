import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import type { Subject } from '../lib/benchmark.ts'
import { newFile } from './file.ts'

/** What a commit waits for on this disk: to write 128 KiB further on in a file, and sync. */
export function disk(name: string): Subject {
  return {
    name,
    open() {
      const file = openSync(newFile(), 'w')
      const written = Buffer.alloc(131_072, 1)
      return {
        measure() {
          const times = Array.from({ length: 200 }, (_, i) => {
            const began = performance.now()
            writeSync(file, written, 0, written.length, i * written.length)
            fdatasyncSync(file)
            return performance.now() - began
          }).toSorted((a, b) => a - b)
          return { 'fsync p50 ms': times[100] ?? NaN, 'fsync p99 ms': times[198] ?? NaN }
        },
        close: () => closeSync(file),
      }
    },
  }
}
