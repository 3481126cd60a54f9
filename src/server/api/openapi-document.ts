import {
  type ConversionConfig,
  type JsonSchema,
  toJsonSchema,
  toJsonSchemaDefs,
} from '@valibot/to-json-schema'
import type * as v from 'valibot'
import * as answers from './answer-schemas.ts'
import { type RefusalCode, refusals } from './refusal.ts'
import { type InputSchema, type Route, routes } from './routes.ts'

/** The version of the API, not of the package. A change that breaks a client raises it. */
const apiVersion = '0.1'

/** Schemas that the document names, so that generated clients have types for them. */
const components: Readonly<Record<string, v.GenericSchema>> = {
  EventSummary: answers.eventSummary,
  MaskedEvent: answers.maskedEvent,
  EventPage: answers.eventPage,
  DeliveryEntry: answers.deliveryEntry,
  DeliveryPage: answers.deliveryPage,
  Receipt: answers.receipt,
  ReceiptPage: answers.receiptPage,
  Node: answers.node,
  NodeList: answers.nodeList,
  Overview: answers.overview,
  Replayed: answers.replayed,
  Pruned: answers.pruned,
  Erasure: answers.erasure,
  ExportLine: answers.exportLine,
  StreamReceipt: answers.streamReceipt,
  StreamAttempt: answers.streamAttempt,
  StreamMissed: answers.streamMissed,
  Error: answers.errorAnswer,
}

/** The OpenAPI 3.1 document of the admin listener. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [operationId, route] of Object.entries<Route>(routes)) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(operationId, route) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Fusewire admin API',
      version: apiVersion,
      description: 'What the admin listener of a Fusewire server answers.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The origin of the admin listener' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: toJsonSchemaDefs(components, conversion),
    },
  }
}

function operation(operationId: string, route: Route): object {
  const { summary, description, scope, params, query, body, answer } = route
  const parameters = [...parametersOf('path', params), ...parametersOf('query', query)]
  return {
    operationId,
    summary,
    description: [description, scopeTexts[scope]].filter((text) => text !== undefined).join(' '),
    ...(scope === 'none' && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body) } } },
    }),
    responses: {
      200: { description: answer.description, content: contentOf(answer) },
      ...refusalsOf(route),
    },
  }
}

const scopeTexts: Readonly<Record<Route['scope'], string | undefined>> = {
  none: undefined,
  read: undefined,
  operate: 'The token needs the scope `operate`.',
}

function contentOf(answer: Route['answer']): object {
  if ('schema' in answer) return { 'application/json': { schema: jsonSchema(answer.schema) } }
  const type = answer.mediaType === 'application/json' ? 'object' : 'string'
  return { [answer.mediaType]: { schema: { type } } }
}

function parametersOf(where: 'path' | 'query', schema: InputSchema | undefined): readonly object[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = jsonSchema(schema)
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as JsonSchema // Every property of ours is an object.
    return { name, in: where, required: required.includes(name), description, schema: rest }
  })
}

/** The error answers by status: those of the route, and those that every route with a token or an input may give. */
function refusalsOf({ scope, params, query, body, path, refusals: own = [] }: Route): object {
  const guard: readonly RefusalCode[] = ['duplicateHeader', 'notAuthorized', 'foreignOrigin', 'misdirected']
  const codes: readonly RefusalCode[] = [
    ...(scope === 'none' ? [] : guard),
    ...(scope === 'operate' ? (['scope'] as const) : []),
    ...(params === undefined && query === undefined ? [] : (['badRequest'] as const)),
    ...(body === undefined ? [] : (['invalidJSON', 'mediaType', 'tooLarge'] as const)),
    ...own,
    ...(path.startsWith('/fusewire/') ? (['unavailable'] as const) : []),
  ]
  const statuses = [...new Set(codes.map((code) => refusals[code].status))].toSorted((a, b) => a - b)
  return {
    ...Object.fromEntries(
      statuses.map((status) => [
        status,
        {
          description: codes
            .filter((code) => refusals[code].status === status)
            .map((code) => `\`[${code}]\` ${refusals[code].message}`)
            .join(' '),
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      ]),
    ),
    ...(path === '/readyz' && {
      503: {
        description: '`not ready`, with a token also why',
        content: { 'text/plain': { schema: { type: 'string' } } },
      },
    }),
  }
}

function jsonSchema(schema: v.GenericSchema): JsonSchema {
  const {
    $schema: _,
    $defs: __,
    ...converted
  } = toJsonSchema(schema, { ...conversion, definitions: components })
  return converted
}

const conversion: ConversionConfig = {
  target: 'draft-2020-12',
  typeMode: 'input',
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  // A function decides: JSON Schema cannot say it, the description does.
  ignoreActions: ['check'],
  overrideAction: ({ valibotAction, jsonSchema: { description } }) => {
    if (valibotAction.type !== 'metadata') return undefined
    const { metadata } = valibotAction as v.MetadataAction<unknown, { readonly jsonSchema?: JsonSchema }> // Its type says so.
    return metadata.jsonSchema && { description, ...metadata.jsonSchema }
  },
}
