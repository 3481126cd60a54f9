import { isUtf8 } from 'node:buffer'
import type { Kept } from '../model/kept.ts'

/** An event as one line of JSON. Its body is a JSON string when it is UTF-8, otherwise base64, so that it can be restored byte for byte. */
export function exportLine({ body, ...kept }: Kept): string {
  if (body === undefined) return JSON.stringify(kept)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return JSON.stringify(
    isUtf8(bytes) ? { ...kept, body: bytes.toString() } : { ...kept, bodyBase64: bytes.toString('base64') },
  )
}
