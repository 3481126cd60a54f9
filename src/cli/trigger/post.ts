import { codeOf } from '../../lib/code-of.ts'
import { missing } from '../failure.ts'
import { text } from '../text.ts'

export interface Posted {
  readonly status: number
  readonly body: string
  readonly ms: number
}

/** Posts as FusionAuth does: no redirect is followed, and two seconds are enough. */
export async function post(url: string, headers: Headers, body: string): Promise<Posted> {
  const begun = performance.now()
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(readTimeoutMs),
    })
    return { status: response.status, body: await beginningOf(response), ms: performance.now() - begun }
  } catch (error) {
    throw missing(text`${new URL(url).origin} ${whyNot(error)}`, { cause: error })
  }
}

/** In bytes. An answer may be endless, or large when decompressed: the rest is not read. */
const readUpTo = 16 * 1024

async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > readUpTo) return text.slice(0, readUpTo)
  }
  return text
}

/** More than the connect and read timeouts that FusionAuth's documentation suggests, added. */
const readTimeoutMs = 5000

function whyNot(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `did not answer within ${readTimeoutMs} ms.`
  const cause = error instanceof Error ? error.cause : undefined
  const code = codeOf(cause)
  if (code === 'ECONNREFUSED') {
    return 'refuses the connection: nothing listens there. Start the receiver, or give another --to.'
  }
  if (code === 'ENOTFOUND') return 'is not known: check the name in --to.'
  return `cannot be reached (${code ?? (cause instanceof Error ? cause.message : 'unknown')}).`
}
