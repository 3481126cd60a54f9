import type { Answer } from './answer.ts'

/** The answer as a web-standard Response. */
export function toResponse({ status, body, headers }: Answer): Response {
  return body === ''
    ? new Response(null, { status, headers: { 'content-length': '0', ...headers } })
    : new Response(body, { status, headers: { 'content-type': 'application/json', ...headers } })
}
