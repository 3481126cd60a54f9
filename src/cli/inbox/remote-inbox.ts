import * as v from 'valibot'
import { codeOf } from '../../lib/code-of.ts'
import { isObject } from '../../lib/json-object.ts'
import { parseJson } from '../../lib/parse-json.ts'
import { readText } from '../../lib/read-text.ts'
import { type AnswerOf, type InputOf, type JsonAnswer, type Route, routes } from '../../server/api/routes.ts'
import { type Failure, missing, misused } from '../failure.ts'
import { redact } from '../redact.ts'
import { type Text, text } from '../text.ts'
import type { OpenedInbox } from './opened-inbox.ts'

/** An inbox behind the admin listener of a running server. What is masked there stays masked here. */
export function remoteInbox(server: string, token: string): OpenedInbox {
  const shown = redact(server)
  const origin = server.endsWith('/') ? server : `${server}/`

  /** Asks a route. Rejects with a Failure that says what the person at the terminal can do. */
  async function ask<R extends Route>(route: R, input: InputOf<R>, signal?: AbortSignal): Promise<Response> {
    const { params = {}, query = {}, body } = input as Asked // The parts of the route's input, whichever it has.
    const path = route.path
      .slice(1)
      .replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])))
    const request = {
      method: route.method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      redirect: 'error' as const,
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    }
    const url = new URL(`${path}?${searchParams(query).toString()}`, origin)
    const response = await fetch(url, request).catch((error: unknown) => {
      const cause = error instanceof Error ? error.cause : undefined
      const why = codeOf(cause) ?? (cause instanceof Error ? cause.message : 'unknown')
      throw missing(text`The server ${shown} cannot be reached (${why}).`, { cause: error })
    })
    if (response.ok) return response
    throw refusal(response.status, firstErrorIn(parseJson(await textOf(response, shown))), shown)
  }

  /** The JSON a route answers. It may be from a newer version or from no Fusewire at all, so the route's schema checks it. */
  async function askJson<R extends Route & { readonly answer: JsonAnswer }>(
    route: R,
    input: InputOf<R>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<R>> {
    const answered = parseJson(await textOf(await ask(route, input, signal), shown))
    if (answered === undefined) throw misused(notAdmin(shown))
    const { issues } = v.safeParse(route.answer.schema, answered, { abortEarly: true })
    if (issues === undefined) return answered as AnswerOf<R> // As was just checked; members of newer versions stay.
    const [{ expected, received, path }] = issues
    const where = path?.map(({ key }) => String(key)).join('.') ?? 'the answer'
    const fault = received === 'undefined' ? 'is missing' : `is not ${expected ?? 'valid'}`
    throw missing(
      text`The server ${shown} answers in a form this version does not know (${where} ${fault}): use the command of the server's version.`,
    )
  }

  return {
    shown,
    page: (where, options) => askJson(routes.listEvents, { query: { ...where, ...options } }),
    async show(id, { tenantId, reveal }) {
      const tenant = tenantId === undefined ? {} : { tenantId }
      try {
        const found = await askJson(routes.getEvent, { params: { id }, query: tenant })
        if (!reveal || found.event === undefined) return found
        const revealed = await ask(routes.revealEvent, { params: { id }, query: {}, body: tenant })
        const body = parseJson(await textOf(revealed, shown))
        return { ...found, event: isObject(body) && 'event' in body ? body['event'] : body }
      } catch (error) {
        if (isObject(error) && error['code'] === '[noEvent]') return undefined
        throw error
      }
    },
    stats: () => askJson(routes.getStats, { query: {} }),
    replay: (where, { signal }) => askJson(routes.replayEvents, { query: {}, body: where }, signal),
    prune: ({ before, dead = false }, { signal }) =>
      askJson(routes.pruneEvents, { query: {}, body: { before: Number(before), dead } }, signal),
    erase({ ...person }, { compact, loginIds, signal }) {
      if (loginIds !== undefined)
        throw misused(text`--login-id works on the inbox itself: run it where the file is, with --inbox.`)
      if (compact === true)
        throw misused(text`--compact works on the inbox itself: run it where the file is, with --inbox.`)
      return askJson(routes.erasePerson, { query: {}, body: person }, signal)
    },
    async *export(where, { signal, onProgress }) {
      const { body } = await ask(routes.exportEvents, { query: {}, body: where }, signal)
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

/** The parts that an input may have. */
interface Asked {
  readonly params?: Readonly<Record<string, unknown>>
  readonly query?: object
  readonly body?: object
}

/** Lines that end with LF. readline would also split a line at U+2028, which JSON may hold in a text. */
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

function searchParams(given: object): URLSearchParams {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) {
    for (const one of [value].flat()) params.append(name, String(one))
  }
  return params
}

/** In bytes: longer than any page of events. */
const answerLimit = 256 * 1024 * 1024

/** The text of an answer, up to a limit: the server may be no Fusewire and send without end. */
async function textOf(response: Response, shown: string): Promise<string> {
  const read = await readText(response.body, answerLimit)
  if (read === undefined) throw missing(text`The server ${shown} answers more than any inbox would.`)
  return read
}

/** What the person at the terminal can do about an error answer. */
function refusal(status: number, { code, message: said }: AnsweredError, shown: string): Failure {
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
        return misused(text`${said ?? 'The server does not understand the request.'}`)
      default:
        return missing(text`The server ${shown} answers ${status}: ${said ?? 'without saying why'}`)
    }
  })()
  return Object.assign(failure, { code })
}

function notAdmin(shown: string): Text {
  return text`${shown} is no admin listener. That is usually on the port after the one FusionAuth posts to.`
}

/** The first error of an error answer. */
interface AnsweredError {
  readonly code?: string
  readonly message?: string
}

function firstErrorIn(body: unknown): AnsweredError {
  const [first] = isObject(body) && Array.isArray(body['errors']) ? (body['errors'] as unknown[]) : []
  const { code, message } = isObject(first) ? first : {}
  return { ...(typeof code === 'string' && { code }), ...(typeof message === 'string' && { message }) }
}
