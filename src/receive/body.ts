import { hash } from 'node:crypto'
import { type Answer, failed, refused, unavailable } from './answer.ts'
import type { BodySource, Incoming } from '../model/incoming.ts'

/** A body in full, not yet looked at. */
export interface Body {
  readonly bytes: Uint8Array
  /** In standard base64, as tokens claim it. Computed on first use. */
  sha256(): string
}

/** How much may be read. */
export interface Intake {
  /** Bytes of one body. */
  readonly bodyLimit: number
  /** Bytes of all bodies being read or handled in this process. */
  readonly inFlightLimit: number
  inFlight: number
}

/** Longest silence while a body comes in. */
const idleMs = 1500
/** Longest time for a body to come in, however steadily it drips; looked at when a piece comes, or a silence ends it. */
const totalMs = 10_000

/** Reads the body. Whoever gets it gives `bytes.length` back to `intake.inFlight` when the request is over. */
export function readBody(incoming: Incoming, intake: Intake): Body | Answer | Promise<Body | Answer> {
  const { body, headers } = incoming
  if (body.consumed !== undefined) return failed('FW_BODY_READ', body.consumed)
  const declared = Number(headers.get('content-length') ?? 0)
  if (declared > intake.bodyLimit) return tooLarge(intake)
  if (intake.inFlight + declared > intake.inFlightLimit) return overloaded
  if (body.bytes === undefined) return flow(body, intake)
  if (body.bytes.length > intake.bodyLimit) return tooLarge(intake)
  intake.inFlight += body.bytes.length
  return whole([body.bytes])
}

function flow(source: BodySource, intake: Intake): Promise<Body | Answer> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = []
    let size = 0
    let ended = false
    const idle = setTimeout(stop, idleMs, slow)
    const endsBy = performance.now() + totalMs

    function end(result: Body | Answer): void {
      if (ended) return
      ended = true
      clearTimeout(idle)
      resolve(result)
    }
    function stop(answer: Answer): void {
      if (ended) return
      source.stop()
      intake.inFlight -= size
      end(answer)
    }
    source.start({
      chunk(bytes) {
        if (ended) return
        size += bytes.length
        intake.inFlight += bytes.length
        if (size > intake.bodyLimit) return stop(tooLarge(intake))
        if (intake.inFlight > intake.inFlightLimit) return stop(overloaded)
        if (performance.now() > endsBy) return stop(slow)
        chunks.push(bytes)
        idle.refresh()
      },
      end: () => end(whole(chunks)),
      fail: () => stop(broken),
    })
  })
}

/** The body that came in these pieces. */
export function whole(chunks: readonly Uint8Array[]): Body {
  const [first] = chunks
  const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
  let digest: string | undefined
  return { bytes, sha256: () => (digest ??= hash('sha256', bytes, 'base64')) }
}

const tooLarge = ({ bodyLimit }: Intake): Answer =>
  refused(413, 'tooLarge', `The body is larger than ${bodyLimit} bytes.`)
const overloaded = unavailable('too many bytes of bodies in flight')
const slow = refused(408, 'timeout', 'The body did not arrive in time.')
const broken = refused(400, 'incomplete', 'The body ended before its time.')
