import type { Subscription } from '../../model/subscription.ts'
import type { Arrival } from '../../model/arrival.ts'
import { wants } from '../../model/wants.ts'
import { query, type SqliteSql } from './sql.ts'

/** The subscriptions of an inbox, as the transaction that asks sees them. */
export interface Registry {
  /** In the caller's transaction. */
  subscribe(subscriptions: readonly Subscription[]): void
  /** By what number the tables know a handler. */
  idOf(handler: string): number | undefined
  /** The same, undefined for an abandoned one. */
  activeIdOf(handler: string): number | undefined
  all(): readonly Subscribed[]
  /** After this connection changed the table otherwise. */
  reload(): void
  /** Who gets a delivery of this event. */
  wanting(arrival: Pick<Arrival, 'type' | 'key' | 'applicationIds'>): readonly Subscribed[]
  /** Looks whether another process has committed, and may have changed the subscriptions; at the start of each transaction. */
  refresh(): boolean
}

export interface Subscribed extends Subscription {
  readonly id: number
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
  let all: readonly Subscribed[] = []
  let byName: ReadonlyMap<string, Subscribed> = new Map()

  function load(): void {
    all = handlers.all().map(subscribed)
    byName = new Map(all.map((handler) => [handler.handler, handler]))
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
    all: () => all,
    reload: load,
    wanting: (arrival) =>
      all.filter((handler) => handler.abandonedAt === undefined && wants(handler, arrival)),
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

interface HandlerRow {
  readonly id: number
  readonly name: string
  readonly types: string
  readonly tenants: string | null
  readonly applications: string | null
  readonly ordering: Subscription['ordering']
  readonly abandoned: number | null
}

/** The JSON columns were written by `insertHandler`. */
function subscribed({ id, name, types, tenants, applications, ordering, abandoned }: HandlerRow): Subscribed {
  return {
    id,
    handler: name,
    types: JSON.parse(types),
    ...(tenants !== null && { tenantIds: JSON.parse(tenants) }),
    ...(applications !== null && { applicationIds: JSON.parse(applications) }),
    ordering,
    ...(abandoned !== null && { abandonedAt: abandoned }),
  }
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
