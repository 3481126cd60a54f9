import type { Readable } from 'node:stream'
import { discardBytes } from '../lib/discard-bytes.ts'

/** TCP retransmits a lost packet after 0.2, 0.6 and 1.4 s, so a silence of 2 s is the end. */
const silenceMs = 2000
/** With the 1.5 s that an answer may take, below the 10 s of a hardened server's `requestTimeout`. */
const discardMs = 8000

/**
 * Reads the rest of a body and discards it, as nginx does with `lingering_close`. A JVM writes its whole body before it reads the answer,
 * and gets none when the connection is closed earlier. Resolves at the end, after 32 MiB, 2 s without a chunk, or 8 s in all.
 */
export function discard(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    let discarded = 0
    const silence = setTimeout(stop, silenceMs)
    const total = setTimeout(stop, discardMs)
    function count(bytes: Uint8Array): void {
      discarded += bytes.length
      if (discarded > discardBytes) stop()
      else silence.refresh()
    }
    function stop(): void {
      clearTimeout(silence)
      clearTimeout(total)
      stream.off('data', count).pause()
      resolve()
    }
    stream.on('data', count)
    for (const over of ['end', 'error', 'close']) stream.once(over, stop)
    stream.resume()
  })
}
