import { isObject } from '../../lib/json-object.ts'
import { parseJson } from '../../lib/parse-json.ts'
import { readText } from '../../lib/read-text.ts'
import type { Filter } from '../../model/filter.ts'
import { codeOf } from '../../lib/code-of.ts'
import { type Failure, missing, misused } from '../failure.ts'
import { redacted } from '../redact.ts'
import { type Text, text } from '../text.ts'
import type { InboxEnd, Shown } from './end.ts'

/** An inbox behind the admin listener of a running server. What is hidden there stays hidden here. */
export function remoteEnd(server: string, token: string): InboxEnd {
  const shown = redacted(server)
  const api = new URL('fusewire/api/', server.endsWith('/') ? server : `${server}/`)

  async function ask(path: string, given?: object, signal?: AbortSignal): Promise<Response> {
    const request = {
      headers: { authorization: `Bearer ${token}`, ...(given && { 'content-type': 'application/json' }) },
      redirect: 'error' as const,
      ...(given && { method: 'POST', body: JSON.stringify(given) }),
      ...(signal && { signal }),
    }
    const response = await fetch(new URL(path, api), request).catch((error: unknown) => {
      const cause = error instanceof Error ? error.cause : undefined
      const why = codeOf(cause) ?? (cause instanceof Error ? cause.message : 'unknown')
      throw missing(text`The server ${shown} cannot be reached (${why}).`, {
        cause: error,
      })
    })
    if (response.ok) return response
    throw refusal(response.status, firstErrorIn(parseJson(await textOf(response, shown))), shown)
  }

  /** The server answers what `Inbox` gives: the shapes of both are held together by a test. */
  async function json<T>(path: string, given?: object, signal?: AbortSignal): Promise<T> {
    const answered = parseJson(await textOf(await ask(path, given, signal), shown))
    if (answered === undefined) throw misused(notAdmin(shown))
    return answered as T
  }

  return {
    shown,
    page: (where, options) => json(`events?${query({ ...where, ...options }).toString()}`),
    async show(id, { tenantId, reveal }) {
      const tenant = tenantId === undefined ? {} : { tenantId }
      const path = `events/${encodeURIComponent(id)}`
      try {
        const found = await json<Shown>(`${path}?${query(tenant).toString()}`)
        if (!reveal || found.event === undefined) return found
        const body: unknown = parseJson(await textOf(await ask(`${path}/reveal`, tenant), shown))
        return { ...found, event: isObject(body) && 'event' in body ? body['event'] : body }
      } catch (error) {
        if (isObject(error) && error['code'] === '[noEvent]') return undefined
        throw error
      }
    },
    stats: () => json('stats'),
    replay: (where, { signal }) => json('replay', where, signal),
    prune: ({ before, dead = false }, { signal }) => json('prune', { before: Number(before), dead }, signal),
    erase({ ...person }, { compact, signal }) {
      if (compact === true)
        throw misused(text`--compact works on the inbox itself: run it where the file is, with --inbox.`)
      return json('erase', person, signal)
    },
    async *export(where, { signal, onProgress }) {
      const { body } = await ask('export', where, signal)
      if (body === null) return
      let done = 0
      for await (const line of linesOf(body)) {
        yield line
        onProgress?.({ done: ++done })
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Ended by LF alone: readline would also part a name in two that has U+2028 in it. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    rest += text
    if (!text.includes('\n')) continue
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}

function query(given: Filter | object): URLSearchParams {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) {
    for (const one of [value].flat()) params.append(name, String(one))
  }
  return params
}

/** Longer than any page of events. */
const answerLimit = 256 * 1024 * 1024

/** What it answers, up to a limit: whoever else listens there may go on for ever. */
async function textOf(response: Response, shown: string): Promise<string> {
  const read = await readText(response.body, answerLimit)
  if (read === undefined) throw missing(text`The server ${shown} answers more than any inbox would.`)
  return read
}

/** Why the server did not do it, as what the person who asked can do about it. */
function refusal(status: number, { code, message: said }: Said, shown: string): Failure {
  const failure = (() => {
    switch (status) {
      case 401:
        return misused(
          text`The server ${shown} does not know this token: --token must be its --admin-token or --read-token.`,
        )
      case 403:
        return misused(
          text`This token may look, not change or reveal: --token must be the server's --admin-token.`,
        )
      case 404:
        return misused(code === undefined || code === '[notFound]' ? notAdmin(shown) : text`${said ?? ''}`)
      case 421:
        return misused(
          text`The server does not answer to the name ${shown}: start it with --admin-name for that.`,
        )
      case 400:
        return misused(text`${said ?? 'The server does not understand the question.'}`)
      default:
        return missing(text`The server ${shown} answers ${status}: ${said ?? 'without saying why'}`)
    }
  })()
  return Object.assign(failure, { code })
}

function notAdmin(shown: string): Text {
  return text`${shown} is no admin listener. That is usually on the port after the one FusionAuth posts to.`
}

/** What a server says of its refusal. */
interface Said {
  readonly code?: string
  readonly message?: string
}

function firstErrorIn(body: unknown): Said {
  const [first] = isObject(body) && Array.isArray(body['errors']) ? (body['errors'] as unknown[]) : []
  const { code, message } = isObject(first) ? first : {}
  return { ...(typeof code === 'string' && { code }), ...(typeof message === 'string' && { message }) }
}
