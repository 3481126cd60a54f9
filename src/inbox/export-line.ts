import { isUtf8 } from 'node:buffer'
import type { Kept } from '../model/kept.ts'

/** An event as one line of JSON: its body as a JSON string when it is text, byte for byte, else in base64. */
export function exportLine({ body, ...kept }: Kept): string {
  if (body === undefined) return JSON.stringify(kept)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return JSON.stringify(
    isUtf8(bytes) ? { ...kept, body: bytes.toString() } : { ...kept, bodyBase64: bytes.toString('base64') },
  )
}
