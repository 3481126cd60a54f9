import { randomUUID } from 'node:crypto'
import type { EventType } from '../../events/types.ts'
import { isFields, text, type Fields } from '../fields.ts'
import { applyJsonPatch } from '../apply-json-patch.ts'
import { merge } from '../merge.ts'
import type { Row } from '../state/tables.ts'
import type { ReadableTables } from '../state/store.ts'
import type { ReadableRows } from '../state/table.ts'
import type { Transaction } from '../system/event-system.ts'
import type { FiredEvent } from '../system/fired-event.ts'
import { generalError, notFoundError, ok, Problems } from './api-response.ts'
import { inTransaction } from './in-transaction.ts'
import { get, patch, post, put, remove, type Call, type Route } from './route.ts'
import { isVisible } from './tenant-of.ts'

/** What `Resource.read` makes a row of. Errors go to `problems`. */
export interface Reader<R> {
  readonly call: Call
  readonly tx: Transaction
  readonly input: Fields
  readonly problems: Problems
  /** The row before the change; missing for a new one. */
  readonly before?: R | undefined
  /** Id and instants. */
  readonly base: Stamped
}

export interface Stamped {
  readonly id: string
  readonly insertInstant: number
  readonly lastUpdateInstant: number
}

/** A kind of object that is created, read, replaced, patched and deleted like others. */
export interface Resource<R extends Row> {
  /** Its name in requests and responses, and that of several: `group`, `groups`. */
  readonly one: string
  readonly many: string
  readonly path: string
  readonly view: (rows: ReadableTables) => ReadableRows<R>
  readonly write: (tx: Transaction, row: R) => void
  readonly erase: (tx: Transaction, row: R) => void
  readonly read: (reader: Reader<R>) => R
  /** The row as callers see it. Default: unchanged. */
  readonly show?: (row: R, rows: ReadableTables) => Fields
  /** Called after the row was written, before its event is fired. */
  readonly afterWrite?: (row: R, before: R | undefined, call: Call, tx: Transaction) => void
  readonly events?: { readonly create: EventType; readonly update: EventType; readonly delete: EventType }
}

/** The routes of a resource: create, read or list, replace, patch, delete. */
export function routesOf<R extends Row>(resource: Resource<R>): readonly Route[] {
  const path = `${resource.path}/:id?`
  return [
    post(path, (call) => inTransaction(call, (tx) => create(resource, call, tx))),
    get(path, (call) => {
      const { id } = call.params
      if (id === undefined) {
        const rows = resource
          .view(call.state.rows)
          .all()
          .filter((row) => visible(call, row))
        return ok({ [resource.many]: rows.map((row) => shown(resource, row, call.state.rows)) })
      }
      return ok({
        [resource.one]: shown(resource, existing(resource, call, call.state.rows), call.state.rows),
      })
    }),
    put(path, (call) => inTransaction(call, (tx) => replace(resource, call, tx, inputOf(resource, call)))),
    patch(path, (call) =>
      inTransaction(call, (tx) => {
        const before = existing(resource, call, tx.rows)
        return replace(resource, call, tx, patched(resource, call, before))
      }),
    ),
    remove(path, (call) =>
      inTransaction(call, (tx) => {
        const row = existing(resource, call, tx.rows)
        if (resource.events !== undefined) tx.fire(fired(resource, resource.events.delete, row, tx.rows))
        resource.erase(tx, row)
        return ok()
      }),
    ),
  ]
}

function create<R extends Row>(resource: Resource<R>, call: Call, tx: Transaction) {
  const input = inputOf(resource, call)
  const problems = new Problems()
  const id = newId(call.params['id'] ?? input['id'], `${resource.one}.id`, problems)
  if (resource.view(tx.rows).get(id) !== undefined) {
    problems.add(`${resource.one}.id`, 'duplicate', `An object with the id [${id}] already exists.`)
  }
  const base = { id, insertInstant: tx.now, lastUpdateInstant: tx.now }
  const row = resource.read({ call, tx, input, problems, base })
  problems.throwIfAny()
  resource.write(tx, row)
  resource.afterWrite?.(row, undefined, call, tx)
  if (resource.events !== undefined) tx.fire(fired(resource, resource.events.create, row, tx.rows))
  return ok({ [resource.one]: shown(resource, row, tx.rows) })
}

function replace<R extends Row>(resource: Resource<R>, call: Call, tx: Transaction, input: Fields) {
  const before = existing(resource, call, tx.rows)
  const problems = new Problems()
  const base = {
    id: before.id,
    insertInstant: before.insertInstant ?? tx.now,
    lastUpdateInstant: tx.now,
  }
  const row = resource.read({ call, tx, input, problems, before, base })
  problems.throwIfAny()
  resource.write(tx, row)
  resource.afterWrite?.(row, before, call, tx)
  if (resource.events !== undefined) {
    tx.fire(fired(resource, resource.events.update, row, tx.rows, before))
  }
  return ok({ [resource.one]: shown(resource, row, tx.rows) })
}

function fired<R extends Row>(
  resource: Resource<R>,
  type: EventType,
  row: R,
  rows: ReadableTables,
  original?: R,
): FiredEvent {
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

function existing<R extends Row>(resource: Resource<R>, call: Call, rows: ReadableTables): R {
  const row = resource.view(rows).get(call.params['id']?.toLowerCase() ?? '')
  if (row === undefined || !visible(call, row)) throw notFoundError()
  return row
}

const visible = (call: Call, row: Row): boolean =>
  typeof row['tenantId'] !== 'string' || isVisible(call, { tenantId: row['tenantId'] })

function shown<R extends Row>(resource: Resource<R>, row: R, rows: ReadableTables): Fields {
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

/** The object after a PATCH: a JSON Patch applies to `{one: …}`, a merge patch to the object. */
function patched<R extends Row>(resource: Resource<R>, call: Call, before: R): Fields {
  if (call.operations === undefined) return merge(before, inputOf(resource, call))
  const after = applyJsonPatch({ [resource.one]: before }, call.operations)?.[resource.one]
  if (isFields(after)) return after
  throw generalError('[invalidPatch]', 'The JSON Patch cannot be applied to this object.')
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The id that the caller chose, in lower case, or a new one. */
export function newId(wanted: unknown, field: string, problems: Problems): string {
  if (wanted === undefined || wanted === null) return randomUUID()
  if (typeof wanted === 'string' && uuid.test(wanted)) return wanted.toLowerCase()
  problems.add(field, 'couldNotConvert', `The [${field}] property must be a UUID.`)
  return randomUUID()
}

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && uuid.test(value)
}

/** The name of the row. It must not be blank, nor the name of one of `others`. */
export function nameOf(reader: Reader<Row>, field: string, others: readonly Row[]): string {
  const name = text(reader.input['name']) ?? ''
  if (name === '') reader.problems.blank(field)
  else if (others.some((other) => other['name'] === name && other.id !== reader.base.id)) {
    reader.problems.add(field, 'duplicate', `An object with the name [${name}] already exists.`)
  }
  return name
}
