import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseAst } from 'rolldown/parseAst'
import { root } from './pages.ts'

type Statement = ReturnType<typeof parseAst>['body'][number]
type Declaration = NonNullable<Extract<Statement, { type: 'ExportNamedDeclaration' }>['declaration']>

/** A name that people can import from the package, or a member of one: `Webhook`, `Webhook.on`. */
export interface PublicName {
  readonly name: string
  /** The subpath that exports it: `fusewire/node`. One that several export has the first. */
  readonly subpath: string
  /** `call`: a function, a class or a method of a class. */
  readonly kind: 'call' | 'member' | 'other'
  /** Where it is declared: `src/webhook/webhook.ts:75`. */
  readonly at: string
  /** The text of its doc comment, without the stars. */
  readonly doc: string | undefined
}

const manifest: { exports: Record<string, string | { types: string }> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)

/** Every public name, in the order of the manifest's subpaths. */
export function publicNames(): readonly PublicName[] {
  const found = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
    typeof target === 'string' ? [] : namesOf(subpath.replace('.', 'fusewire'), sourceOf(target.types)),
  )
  return [...new Map(found.toReversed().map((one) => [`${one.at} ${one.name}`, one])).values()].toReversed()
}

/** `./dist/http/node.d.ts` is made from `src/http/node.ts`. */
function sourceOf(types: string): string {
  return types.replace('./dist/', 'src/').replace('.d.ts', '.ts')
}

function namesOf(subpath: string, file: string): readonly PublicName[] {
  return parsed(file).body.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration') return []
    const { declaration, source, specifiers } = statement
    if (declaration !== null) return [...declared(subpath, file, declaration, statement.start)]
    const from = source === null ? file : join(dirname(file), source.value)
    return specifiers.flatMap(({ local }) =>
      local.type === 'Identifier' ? declaredAs(subpath, from, local.name) : [],
    )
  })
}

/** What a file declares under a name. */
function declaredAs(subpath: string, file: string, name: string): readonly PublicName[] {
  for (const statement of parsed(file).body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration === null) continue
    const names = [...declared(subpath, file, statement.declaration, statement.start)]
    if (names[0]?.name === name) return names
  }
  throw new Error(`${file} declares no ${name}`)
}

/** A declaration and its members. */
function* declared(
  subpath: string,
  file: string,
  declaration: Declaration,
  start: number,
): Iterable<PublicName> {
  const named = (name: string, kind: PublicName['kind'], from: number): PublicName => ({
    name,
    subpath,
    kind,
    doc: docBefore(file, from),
    at: `${file}:${parsed(file).source.slice(0, from).split('\n').length}`,
  })
  const name = 'id' in declaration && declaration.id?.type === 'Identifier' ? declaration.id.name : ''
  switch (declaration.type) {
    case 'FunctionDeclaration':
      return yield named(name, 'call', start)
    case 'ClassDeclaration':
      yield named(name, 'call', start)
      break
    default:
      yield named(name, 'other', start)
  }
  if (declaration.type !== 'ClassDeclaration' && declaration.type !== 'TSInterfaceDeclaration') return
  const seen = new Set<string>()
  for (const member of declaration.body.body) {
    if (!('key' in member) || member.key.type !== 'Identifier' || member.computed) continue
    const { name: key } = member.key
    if (key === 'constructor' || seen.has(key)) continue // A second overload needs no comment of its own.
    seen.add(key)
    const kind = declaration.type === 'ClassDeclaration' && isMethod(member) ? 'call' : 'member'
    const one = named(`${name}.${key}`, kind, member.start)
    if (one.doc?.includes('@internal') !== true) yield one
  }
}

function isMethod(member: { type: string; kind?: string; value?: { type: string } | null }): boolean {
  if (member.type === 'MethodDefinition') return member.kind === 'method'
  return member.type === 'PropertyDefinition' && member.value?.type === 'ArrowFunctionExpression'
}

/** The doc comment that ends where a declaration begins. */
function docBefore(file: string, start: number): string | undefined {
  const before = parsed(file).source.slice(0, start).trimEnd()
  const at = before.lastIndexOf('/**')
  if (at === -1 || !before.endsWith('*/') || before.slice(at, -2).includes('*/')) return undefined
  return before.slice(at + 3, -2).replaceAll(/^\s*\* ?/gm, '')
}

interface Parsed {
  readonly source: string
  readonly body: readonly Statement[]
}

const cache = new Map<string, Parsed>()

function parsed(file: string): Parsed {
  const known = cache.get(file)
  if (known !== undefined) return known
  const source = readFileSync(join(root, file), 'utf8')
  const fresh = { source, body: parseAst(source, { lang: 'ts' }, file).body }
  cache.set(file, fresh)
  return fresh
}
