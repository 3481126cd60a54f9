import { randomUUID } from 'node:crypto'
import type { EventType } from '../../events/types.ts'
import { isFields, text, type Fields } from '../json.ts'
import { applyOperations, merge } from '../merge.ts'
import type { Row } from '../state/rows.ts'
import type { Reading } from '../state/store.ts'
import type { View } from '../state/table.ts'
import type { Draft } from '../system/event-system.ts'
import type { Fired } from '../system/fired.ts'
import { generalError, missing, ok, Problems } from './answer.ts'
import { change } from './change.ts'
import { get, patch, post, put, remove, type Call, type Route } from './route.ts'
import { isVisible } from './tenancy.ts'

/** What is being written: read from `input`, complained about in `problems`. */
export interface Reader<R> {
  readonly call: Call
  readonly draft: Draft
  readonly input: Fields
  readonly problems: Problems
  /** As it was; missing for a new one. */
  readonly before?: R | undefined
  /** Id and instants. */
  readonly base: Stamped
}

export interface Stamped {
  readonly id: string
  readonly insertInstant: number
  readonly lastUpdateInstant: number
}

/** A kind of object that FusionAuth creates, reads, replaces, patches and deletes in the same way. */
export interface Resource<R extends Row> {
  /** Its name in requests and responses, and that of several: `group`, `groups`. */
  readonly one: string
  readonly many: string
  readonly path: string
  readonly view: (rows: Reading) => View<R>
  readonly write: (draft: Draft, row: R) => void
  readonly erase: (draft: Draft, row: R) => void
  readonly read: (reader: Reader<R>) => R
  /** As callers see it. Default: as it is. */
  readonly show?: (row: R, rows: Reading) => Fields
  /** After it is written, before the events go out. */
  readonly written?: (row: R, before: R | undefined, call: Call, draft: Draft) => void
  readonly events?: { readonly create: EventType; readonly update: EventType; readonly delete: EventType }
}

/** The five calls of a resource, and its list. */
export function routesOf<R extends Row>(resource: Resource<R>): readonly Route[] {
  const path = `${resource.path}/:id?`
  return [
    post(path, (call) => change(call, (draft) => create(resource, call, draft))),
    get(path, (call) => {
      const { id } = call.params
      if (id === undefined) {
        const rows = resource
          .view(call.world.rows)
          .all()
          .filter((row) => visible(call, row))
        return ok({ [resource.many]: rows.map((row) => shown(resource, row, call.world.rows)) })
      }
      return ok({
        [resource.one]: shown(resource, existing(resource, call, call.world.rows), call.world.rows),
      })
    }),
    put(path, (call) => change(call, (draft) => replace(resource, call, draft, inputOf(resource, call)))),
    patch(path, (call) =>
      change(call, (draft) => {
        const before = existing(resource, call, draft.rows)
        return replace(resource, call, draft, patched(resource, call, before))
      }),
    ),
    remove(path, (call) =>
      change(call, (draft) => {
        const row = existing(resource, call, draft.rows)
        if (resource.events !== undefined)
          draft.fire(fired(resource, resource.events.delete, row, draft.rows))
        resource.erase(draft, row)
        return ok()
      }),
    ),
  ]
}

function create<R extends Row>(resource: Resource<R>, call: Call, draft: Draft) {
  const input = inputOf(resource, call)
  const problems = new Problems()
  const id = newId(call.params['id'] ?? input['id'], `${resource.one}.id`, problems)
  if (resource.view(draft.rows).get(id) !== undefined) {
    problems.add(`${resource.one}.id`, 'duplicate', `An object with the id [${id}] already exists.`)
  }
  const base = { id, insertInstant: draft.now, lastUpdateInstant: draft.now }
  const row = resource.read({ call, draft, input, problems, base })
  problems.throwIfAny()
  resource.write(draft, row)
  resource.written?.(row, undefined, call, draft)
  if (resource.events !== undefined) draft.fire(fired(resource, resource.events.create, row, draft.rows))
  return ok({ [resource.one]: shown(resource, row, draft.rows) })
}

function replace<R extends Row>(resource: Resource<R>, call: Call, draft: Draft, input: Fields) {
  const before = existing(resource, call, draft.rows)
  const problems = new Problems()
  const base = {
    id: before.id,
    insertInstant: before.insertInstant ?? draft.now,
    lastUpdateInstant: draft.now,
  }
  const row = resource.read({ call, draft, input, problems, before, base })
  problems.throwIfAny()
  resource.write(draft, row)
  resource.written?.(row, before, call, draft)
  if (resource.events !== undefined) {
    draft.fire(fired(resource, resource.events.update, row, draft.rows, before))
  }
  return ok({ [resource.one]: shown(resource, row, draft.rows) })
}

function fired<R extends Row>(
  resource: Resource<R>,
  type: EventType,
  row: R,
  rows: Reading,
  original?: R,
): Fired {
  return {
    type,
    tenantId: text(row['tenantId']),
    linkedObjectId: row.id,
    fields: {
      [resource.one]: shown(resource, row, rows),
      ...(original !== undefined && { original: shown(resource, original, rows) }),
    },
  }
}

function existing<R extends Row>(resource: Resource<R>, call: Call, rows: Reading): R {
  const row = resource.view(rows).get(call.params['id']?.toLowerCase() ?? '')
  if (row === undefined || !visible(call, row)) throw missing()
  return row
}

const visible = (call: Call, row: Row): boolean =>
  typeof row['tenantId'] !== 'string' || isVisible(call, { tenantId: row['tenantId'] })

function shown<R extends Row>(resource: Resource<R>, row: R, rows: Reading): Fields {
  return resource.show === undefined ? row : resource.show(row, rows)
}

/** The object in the request's body; 400 when there is none. */
function inputOf<R extends Row>(resource: Resource<R>, call: Call): Fields {
  const input = call.body[resource.one]
  if (isFields(input)) return input
  const problems = new Problems()
  problems.blank(resource.one)
  problems.throwIfAny()
  return {}
}

/** What a PATCH makes of the object: a JSON Patch works on `{one: …}`, a merge on the object. */
function patched<R extends Row>(resource: Resource<R>, call: Call, before: R): Fields {
  if (call.operations === undefined) return merge(before, inputOf(resource, call))
  const after = applyOperations({ [resource.one]: before }, call.operations)?.[resource.one]
  if (isFields(after)) return after
  throw generalError('[invalidPatch]', 'The JSON Patch cannot be applied to this object.')
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The id the caller chose, in lower case, or a new one. */
export function newId(wanted: unknown, field: string, problems: Problems): string {
  if (wanted === undefined || wanted === null) return randomUUID()
  if (typeof wanted === 'string' && uuid.test(wanted)) return wanted.toLowerCase()
  problems.add(field, 'couldNotConvert', `The [${field}] property must be a UUID.`)
  return randomUUID()
}

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && uuid.test(value)
}

/** A name that is there and, among `others`, new. */
export function nameOf(reader: Reader<Row>, field: string, others: readonly Row[]): string {
  const name = text(reader.input['name']) ?? ''
  if (name === '') reader.problems.blank(field)
  else if (others.some((other) => other['name'] === name && other.id !== reader.base.id)) {
    reader.problems.add(field, 'duplicate', `An object with the name [${name}] already exists.`)
  }
  return name
}
