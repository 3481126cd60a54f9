import type { Subscription } from '../../model/subscription.ts'
import type { Arrival } from '../../model/arrival.ts'
import { wants } from '../../model/wants.ts'
import { query, type SqliteSql } from './sql.ts'

/** The subscriptions of an inbox, cached and read again when another process may have changed them. */
export interface Registry {
  /** In the caller's transaction. */
  subscribe(subscriptions: readonly Subscription[]): void
  /** The handler's id in the tables. */
  idOf(handler: string): number | undefined
  /** The same, but undefined for an abandoned handler. */
  activeIdOf(handler: string): number | undefined
  all(): readonly StoredSubscription[]
  /** Reads the table again, after this connection has changed it without `subscribe`. */
  reload(): void
  /** The subscriptions that get a delivery of this event. */
  findWanting(arrival: Pick<Arrival, 'type' | 'key' | 'applicationIds'>): readonly StoredSubscription[]
  /** At the start of each transaction. Returns whether another connection has committed since the last call. */
  refresh(): boolean
}

export interface StoredSubscription extends Subscription {
  readonly id: number
  /** Epoch ms. Since then it gets no deliveries, because no process ran it for 7 days. */
  readonly abandonedAt?: number
}

export function createRegistry(db: SqliteSql): Registry {
  const dataVersion = query<{ data_version: number }>(db, 'pragma data_version')
  const handlers = query<HandlerRow>(
    db,
    'select id, name, types, tenants, applications, ordering, abandoned from fw_handlers order by name',
  )
  const insert = prepareInsertHandler(db)
  let version: number | undefined
  let all: readonly StoredSubscription[] = []
  let byName: ReadonlyMap<string, StoredSubscription> = new Map()

  function load(): void {
    all = handlers.all().map(toStoredSubscription)
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
    findWanting: (arrival) =>
      all.filter((handler) => handler.abandonedAt === undefined && wants(handler, arrival)),
    refresh() {
      // Changes with every commit of another connection. Reading it takes 1 us, reading the table 20 us.
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
function toStoredSubscription({
  id,
  name,
  types,
  tenants,
  applications,
  ordering,
  abandoned,
}: HandlerRow): StoredSubscription {
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
function prepareInsertHandler(db: SqliteSql): (subscription: Subscription) => void {
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
