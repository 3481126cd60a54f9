import type { Readable } from 'node:stream'
import { discardBytes } from '../lib/discard-bytes.ts'

/** TCP sends a lost packet again after 0.2, 0.6 and 1.4 s. */
const silenceMs = 2000
/** With the 1.5 s that an answer may take, below the 10 s of a hardened server's `requestTimeout`. */
const discardMs = 8000

/**
 * Reads what still comes and throws it away, as nginx does by `lingering_close`. A sender that reads nothing while it writes, as a JVM, gets
 * no answer when its connection is closed before it has written all. Resolves at the end, after 32 MiB, 2 s of silence, or 8 s in all.
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
