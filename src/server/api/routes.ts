import type * as v from 'valibot'
import type { Scope } from '../admin-token.ts'
import * as answers from './answer-schemas.ts'
import * as inputs from './input-schemas.ts'
import type { RefusalCode } from './refusal.ts'

export type InputSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>

/** One operation of the admin listener. The server, the OpenAPI document and the command's client are made from it. */
export interface Route {
  readonly method: 'get' | 'post'
  /** With parameters in braces, as in OpenAPI. */
  readonly path: `/${string}`
  /** What a token must be allowed. `none`: also answered without a token. */
  readonly scope: Scope | 'none'
  readonly summary: string
  readonly description?: string
  readonly params?: InputSchema
  /** Absent: the query string is not looked at. */
  readonly query?: InputSchema
  /** Absent: the body is not looked at. */
  readonly body?: InputSchema
  readonly answer: JsonAnswer | OtherAnswer
  /** Beside those that every route with a token or an input may give. */
  readonly refusals?: readonly RefusalCode[]
}

export interface JsonAnswer {
  readonly description: string
  /** It must not change the value: it describes and checks. */
  readonly schema: v.GenericSchema
}

export interface OtherAnswer {
  readonly description: string
  readonly mediaType: string
}

const api = '/fusewire/api'

export const routes = {
  getLiveness: {
    method: 'get',
    path: '/livez',
    scope: 'none',
    summary: 'Whether the process answers.',
    answer: { description: '`ok`', mediaType: 'text/plain' },
  },
  getReadiness: {
    method: 'get',
    path: '/readyz',
    scope: 'none',
    summary: 'Whether events would be taken in now: 200 or 503.',
    description: 'With a token the text says why not.',
    answer: { description: '`ready`', mediaType: 'text/plain' },
  },
  getMetrics: {
    method: 'get',
    path: '/metrics',
    scope: 'read',
    summary: 'Metrics for Prometheus.',
    answer: { description: "Prometheus' text format", mediaType: 'text/plain' },
  },
  getOpenApiDocument: {
    method: 'get',
    path: '/openapi.json',
    scope: 'read',
    summary: 'This description, as an OpenAPI 3.1 document.',
    answer: { description: 'The document', mediaType: 'application/json' },
  },
  listEvents: {
    method: 'get',
    path: `${api}/events`,
    scope: 'read',
    summary: 'Events with their deliveries, newest first.',
    description:
      'A page may be short, or empty, and still have a `next`: a request looks at a bounded number of rows.',
    query: inputs.pagedFilterInput,
    answer: { description: 'A page of events', schema: answers.eventPage },
    refusals: ['noInbox'],
  },
  getEvent: {
    method: 'get',
    path: `${api}/events/{id}`,
    scope: 'read',
    summary: 'One event, with what it says, personal data masked.',
    params: inputs.eventParams,
    query: inputs.tenantInput,
    answer: { description: 'The event', schema: answers.maskedEvent },
    refusals: ['noEvent', 'noInbox'],
  },
  listDeliveries: {
    method: 'get',
    path: `${api}/deliveries`,
    scope: 'read',
    summary: 'One entry for each delivery that fits.',
    description: '`limit` counts events: a page may have several entries for one.',
    query: inputs.pagedFilterInput,
    answer: { description: 'A page of deliveries', schema: answers.deliveryPage },
    refusals: ['noInbox'],
  },
  listDeadLetters: {
    method: 'get',
    path: `${api}/dead-letters`,
    scope: 'read',
    summary: 'Deliveries that were given up.',
    description: 'A filter without `state`. `limit` counts events: a page may have several entries for one.',
    query: inputs.pagedDeadInput,
    answer: { description: 'A page of deliveries', schema: answers.deliveryPage },
    refusals: ['noInbox'],
  },
  listReceipts: {
    method: 'get',
    path: `${api}/receipts`,
    scope: 'read',
    summary: 'What requests were answered that left no event, newest first.',
    query: inputs.pageInput,
    answer: { description: 'A page of receipts', schema: answers.receiptPage },
    refusals: ['noInbox'],
  },
  getStats: {
    method: 'get',
    path: `${api}/stats`,
    scope: 'read',
    summary: 'Figures of the inbox: by type, by handler, blocked lanes, processes.',
    query: inputs.emptyInput,
    answer: { description: 'The figures', schema: answers.overview },
    refusals: ['noInbox'],
  },
  listNodes: {
    method: 'get',
    path: `${api}/nodes`,
    scope: 'read',
    summary: 'Processes that work on the inbox.',
    query: inputs.emptyInput,
    answer: { description: 'The processes', schema: answers.nodeList },
    refusals: ['noInbox'],
  },
  openStream: {
    method: 'get',
    path: `${api}/stream`,
    scope: 'read',
    summary: 'What happens in this process from now on, as server-sent events.',
    description:
      'Messages: `receipt` for each request (StreamReceipt), `attempt` for each attempt (StreamAttempt), `missed` when the client was too slow (StreamMissed). 32 clients may listen at a time.',
    query: inputs.emptyInput,
    answer: { description: 'The stream', mediaType: 'text/event-stream' },
    refusals: ['tooManyStreams'],
  },
  revealEvent: {
    method: 'post',
    path: `${api}/events/{id}/reveal`,
    scope: 'operate',
    summary: 'The bytes of an event as they came.',
    params: inputs.eventParams,
    query: inputs.emptyInput,
    body: inputs.tenantInput,
    answer: { description: 'The body of the request that brought it', mediaType: 'application/octet-stream' },
    refusals: ['noEvent', 'gone', 'noInbox'],
  },
  replayEvents: {
    method: 'post',
    path: `${api}/replay`,
    scope: 'operate',
    summary: 'Makes handlers run again: every delivery that has ended and fits.',
    description:
      'The filter must have a member. It stops when the connection ends; what was done stays done.',
    query: inputs.emptyInput,
    body: inputs.filterInput,
    answer: { description: 'How many', schema: answers.replayed },
    refusals: ['noInbox'],
  },
  pruneEvents: {
    method: 'post',
    path: `${api}/prune`,
    scope: 'operate',
    summary: 'Deletes events that have ended and were received before an instant.',
    description: 'It stops when the connection ends; what was done stays done.',
    query: inputs.emptyInput,
    body: inputs.pruneInput,
    answer: { description: 'How many', schema: answers.pruned },
    refusals: ['noInbox'],
  },
  erasePerson: {
    method: 'post',
    path: `${api}/erase`,
    scope: 'operate',
    summary: 'Erases everything that names a person, and says what it could not reach.',
    description:
      'The log does not say whom it was for. It stops when the connection ends; the same request finds the rest.',
    query: inputs.emptyInput,
    body: inputs.eraseInput,
    answer: { description: 'What was erased', schema: answers.erasure },
    refusals: ['noInbox'],
  },
  exportEvents: {
    method: 'post',
    path: `${api}/export`,
    scope: 'operate',
    summary: 'Events with their bodies as lines of JSON, oldest first.',
    description: 'Each line is an ExportLine. The connection breaks off when the export does.',
    query: inputs.emptyInput,
    body: inputs.filterInput,
    answer: { description: 'The lines', mediaType: 'application/octet-stream' },
    refusals: ['noInbox'],
  },
} as const satisfies Record<string, Route>

/** Answers are handed out to be read. */
export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: DeepReadonly<T[Name]> }
    : T

/** What a route's JSON answer holds. */
export type AnswerOf<R extends Route> = R['answer'] extends JsonAnswer
  ? DeepReadonly<v.InferOutput<R['answer']['schema']>>
  : never

/** What a client says to a route. */
export type InputOf<R extends Route> = Part<R, 'params', 'input'> &
  Part<R, 'query', 'input'> &
  Part<R, 'body', 'input'>

/** What a route's handler gets: the same, parsed. */
export type ParsedOf<R extends Route> = Part<R, 'params', 'output'> &
  Part<R, 'query', 'output'> &
  Part<R, 'body', 'output'>

type Part<R extends Route, Where extends 'params' | 'query' | 'body', Side extends 'input' | 'output'> =
  R extends Readonly<Record<Where, infer Schema extends InputSchema>>
    ? {
        readonly [W in Where]: Side extends 'input'
          ? DeepReadonly<v.InferInput<Schema>>
          : v.InferOutput<Schema>
      }
    : unknown
