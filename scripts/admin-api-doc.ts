// Writes docs/openapi.json and the routes of docs/admin-api.md from the routes of the admin listener. With --check it writes nothing and exits 1 when one is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { filterInput } from '../src/server/api/input-schemas.ts'
import { openApiDocument } from '../src/server/api/openapi-document.ts'
import { refusals } from '../src/server/api/refusal.ts'
import { markdownTable } from './markdown-table.ts'

interface Schema {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly description?: string
  readonly default?: string | number | boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly $ref?: string
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required: boolean
  readonly description: string
  readonly schema: Schema
}

interface Operation {
  readonly summary: string
  readonly description: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: Content }>>
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** Errors of the guard, which every route with a token may answer. */
const ofEveryRoute: ReadonlySet<string> = new Set([
  'duplicateHeader',
  'notAuthorized',
  'foreignOrigin',
  'misdirected',
])

/** Stands for all members of a filter, which have a table of their own. */
const filterRow = ['', '[Filter](#filter)', 'Which events.']

const written = JSON.stringify(openApiDocument(), undefined, 2)
const document: Document = JSON.parse(written)
const page = new URL('../docs/admin-api.md', import.meta.url)
const marker = '<!-- From here on written by scripts/admin-api-doc.ts. -->\n'
const [prose = ''] = readFileSync(page, 'utf8').split(marker)
const wanted = new Map([
  [new URL('../docs/openapi.json', import.meta.url), `${written}\n`],
  [page, `${prose}${marker}\n${[...errors(), ...filter(), ...operations(), ...components()].join('\n\n')}\n`],
])

for (const [file, text] of wanted) {
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text)
  } else if (readFileSync(file, { encoding: 'utf8', flag: 'a+' }) !== text) {
    console.error(`${file.pathname.replace(/.*\/docs/, 'docs')} is stale: run node scripts/admin-api-doc.ts`)
    process.exitCode = 1
  }
}

function errors(): readonly string[] {
  const rows = Object.entries(refusals).map(([code, { status, message }]) => [
    String(status),
    `\`[${code}]\``,
    message,
  ])
  return ['## Error codes', markdownTable(['status', 'code', 'message'], rows)]
}

function filter(): readonly string[] {
  const { properties = {} } = bodyOf(document.paths['/fusewire/api/replay']?.['post'])
  return ['## Filter', markdownTable(['member', 'type', ''], rowsOf(properties, []))]
}

function operations(): readonly string[] {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      section(`${method.toUpperCase()} ${path}`, operation),
    ),
  )
  return ['## Routes', ...all]
}

function section(title: string, operation: Operation): string {
  const { summary, description, parameters = [], responses } = operation
  const query = Object.fromEntries(
    parameters.map(({ name, description: said, schema }) => [name, { ...schema, description: said }]),
  )
  const required = parameters.filter((one) => one.required).map(({ name }) => name)
  const body = bodyOf(operation)
  const given = [...rowsOf(query, required), ...rowsOf(body.properties ?? {}, body.required ?? [])]
  const inputs =
    'errorText' in { ...query, ...body.properties } ? [filterRow, ...given.filter(isOutsideFilter)] : given
  const codes = Object.values(responses).flatMap((answer) =>
    [...answer.description.matchAll(/`\[(\w+)\]`/g)].map(([, code = '']) => code),
  )
  const errorsOfIt = codes.filter((code) => !ofEveryRoute.has(code)).map((code) => `\`[${code}]\``)
  const { content = {}, description: answer = '' } = responses['200'] ?? {}
  const types = Object.entries(content).map(([type, { schema }]) =>
    schema.$ref === undefined ? `\`${type}\`` : typeOf(schema),
  )
  return [
    `### ${title}`,
    [summary, description].filter((text) => text !== '').join(' '),
    ...(inputs.length > 0 ? [markdownTable(['name', 'type', ''], inputs)] : []),
    `Answer: ${types.join(', ')} (${answer}).${errorsOfIt.length > 0 ? ` Errors: ${errorsOfIt.join(', ')}.` : ''}`,
  ].join('\n\n')
}

function bodyOf(operation: Operation | undefined): Schema {
  return operation?.requestBody?.content['application/json']?.schema ?? {}
}

function isOutsideFilter([name = '']: readonly string[]): boolean {
  return !Object.hasOwn(filterInput.entries, name.replaceAll('`', ''))
}

function rowsOf(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[],
): readonly (readonly string[])[] {
  return Object.entries(properties).map(([name, schema]) => [
    `\`${name}\``,
    typeOf(schema),
    sentence(schema, schema.description, required.includes(name)),
  ])
}

function components(): readonly string[] {
  return [
    '## Types',
    'A member with `?` may be absent. Ignore members that you do not know: a newer version may add some.',
    ...Object.entries(document.components.schemas).map(([name, schema]) =>
      [`### ${name}`, markdownTable(['member', 'type', ''], membersOf(schema, ''))].join('\n\n'),
    ),
  ]
}

/** The members of a type, those of nested objects by their path. */
function membersOf({ properties = {}, required = [] }: Schema, path: string): readonly (readonly string[])[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const inner = schema.items ?? schema
    const below = `${path}${name}${schema.items === undefined ? '' : '[]'}.`
    return [
      [`\`${path}${name}\`${required.includes(name) ? '' : ' ?'}`, typeOf(schema), schema.description ?? ''],
      ...(inner.properties === undefined ? [] : membersOf(inner, below)),
    ]
  })
}

function typeOf({ $ref, type, anyOf, items, enum: words }: Schema): string {
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf('/') + 1)
    return `[${name}](#${name.toLowerCase()})`
  }
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(', ')
  if (anyOf !== undefined) {
    const list = anyOf.find((one) => one.items !== undefined)?.items
    return list === undefined ? anyOf.map(typeOf).join(' or ') : `${typeOf(list)}; one or several`
  }
  if (items !== undefined) return `list of ${typeOf(items)}`
  return type ?? 'any'
}

function sentence({ default: usual, minimum, maximum }: Schema, description = '', required = false): string {
  return [
    description,
    ...(minimum !== undefined && maximum !== undefined ? [`From ${minimum} to ${maximum}.`] : []),
    ...(usual === undefined ? [] : [`Default: ${String(usual)}.`]),
    ...(required ? ['Required.'] : []),
  ].join(' ')
}
