import type { Clock } from '../../lib/clock.ts'
import { readText } from '../../lib/read-text.ts'
import { withTimeout } from '../../lib/with-timeout.ts'
import { JwksProblem } from './read-jwks.ts'

const timeoutMs = 2000
/** FusionAuth writes 1.6 KB for an RSA key of 2,048 bits with its certificate: space for 600 of them. */
const sizeLimit = 1024 * 1024

/** The text of a JWKS. Rejects with a `JwksProblem`, or with the error of `fetch`. Redirects are not followed. */
export async function downloadJwks(url: URL, clock: Clock): Promise<string> {
  const late = () => new JwksProblem('no answer')
  return withTimeout({ ms: timeoutMs, clock, late }, (signal) => download(url, signal))
}

async function download(url: URL, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } })
  try {
    if (response.status !== 200) throw new JwksProblem(`status ${response.status} instead of 200`)
    const text = await readText(response.body, sizeLimit)
    if (text === undefined) throw new JwksProblem(`more than ${sizeLimit} bytes`)
    return text
  } finally {
    await response.body?.cancel().catch(() => {})
  }
}
