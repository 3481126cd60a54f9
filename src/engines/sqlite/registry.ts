import type { Subscription } from '../../model/subscription.ts'
import type { Arrival } from '../../model/arrival.ts'
import { query, type SqliteSql } from './sql.ts'

/** The subscriptions of an inbox, as the transaction that asks sees them. */
export interface Registry {
  /** In the caller's transaction. */
  subscribe(subscriptions: readonly Subscription[]): void
  /** By what number the tables know a handler. */
  idOf(handler: string): number | undefined
  /** The same, undefined for an abandoned one. */
  activeIdOf(handler: string): number | undefined
  all(): Iterable<Subscribed>
  /** After this connection changed the table otherwise. */
  reload(): void
  /** Who gets a delivery of this event. */
  wanting(arrival: Arrival): readonly Subscribed[]
  /** Looks whether another process has committed, and may have changed the subscriptions; at the start of each transaction. */
  refresh(): boolean
}

export interface Subscribed {
  readonly id: number
  readonly name: string
  readonly types: '*' | ReadonlySet<string>
  readonly tenants?: ReadonlySet<string>
  readonly applications?: ReadonlySet<string>
  readonly ordering: string
  /** Since when it gets no deliveries, because no process ran it. Epoch ms. */
  readonly abandonedAt?: number
}

export function registry(db: SqliteSql): Registry {
  const dataVersion = query<{ data_version: number }>(db, 'pragma data_version')
  const handlers = query<HandlerRow>(
    db,
    'select id, name, types, tenants, applications, ordering, abandoned from fw_handlers order by name',
  )
  const insert = insertHandler(db)
  let version: number | undefined
  let byName: ReadonlyMap<string, Subscribed> = new Map()

  function load(): void {
    byName = new Map(handlers.all().map((row) => [row.name, subscribed(row)]))
  }

  return {
    subscribe(subscriptions) {
      for (const subscription of subscriptions) insert(subscription)
      load()
    },
    idOf: (handler) => byName.get(handler)?.id,
    activeIdOf(handler) {
      const found = byName.get(handler)
      return found?.abandonedAt === undefined ? found?.id : undefined
    },
    all: () => byName.values(),
    reload: load,
    wanting: (arrival) => [...byName.values()].filter((handler) => matches(handler, arrival)),
    refresh() {
      // Moves when another connection has committed anything: a microsecond, against twenty for reading the table.
      const current = dataVersion.get()?.data_version
      if (current === version) return false
      load()
      version = current
      return true
    },
  }
}

function matches({ types, tenants, applications, abandonedAt }: Subscribed, arrival: Arrival): boolean {
  return (
    abandonedAt === undefined &&
    (types === '*' || types.has(arrival.type)) &&
    (tenants === undefined || tenants.has(arrival.key.tenantId)) &&
    (applications === undefined || arrival.applicationIds.some((id) => applications.has(id)))
  )
}

interface HandlerRow {
  readonly id: number
  readonly name: string
  readonly types: string
  readonly tenants: string | null
  readonly applications: string | null
  readonly ordering: string
  readonly abandoned: number | null
}

function subscribed({ id, name, types, tenants, applications, ordering, abandoned }: HandlerRow): Subscribed {
  const wanted: unknown = JSON.parse(types)
  return {
    id,
    name,
    types: wanted === '*' ? '*' : setOf(types),
    ...(tenants !== null && { tenants: setOf(tenants) }),
    ...(applications !== null && { applications: setOf(applications) }),
    ordering,
    ...(abandoned !== null && { abandonedAt: abandoned }),
  }
}

function setOf(json: string): ReadonlySet<string> {
  return new Set<string>(JSON.parse(json)) // Written by insertHandler, from a readonly string[].
}

/** Index: the unique one on name. */
function insertHandler(db: SqliteSql): (subscription: Subscription) => void {
  const insert = db.prepare(`
    insert into fw_handlers (name, types, tenants, applications, ordering) values (?, ?, ?, ?, ?)
    on conflict (name) do update set
      types = excluded.types, tenants = excluded.tenants, applications = excluded.applications, ordering = excluded.ordering,
      idle = 0, abandoned = null
    where (types, tenants, applications, ordering, idle, abandoned)
      is not (excluded.types, excluded.tenants, excluded.applications, excluded.ordering, 0, null)
  `)
  return ({ handler, types, tenantIds, applicationIds, ordering }) => {
    insert.run(handler, JSON.stringify(types), jsonOrNull(tenantIds), jsonOrNull(applicationIds), ordering)
  }
}

function jsonOrNull(values: readonly string[] | undefined): string | null {
  return values === undefined ? null : JSON.stringify(values)
}
