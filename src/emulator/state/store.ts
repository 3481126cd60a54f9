import { RowLocked, Overlay, type Lock, type WritableRows } from './overlay.ts'
import type { Tables } from './tables.ts'
import { Table, type ReadableRows } from './table.ts'

/** The committed rows. */
export type ReadableTables = { readonly [T in keyof Tables]: ReadableRows<Tables[T]> }

/** The committed rows and a transaction's own changes. */
export type WritableTables = { readonly [T in keyof Tables]: WritableRows<Tables[T]> }

/** An open transaction. `close` ends it; without a `commit` before, that is a rollback. */
export interface StoreTransaction {
  readonly tables: WritableTables
  commit(): void
  close(): void
}

/**
 * The emulator's database. A transaction writes into overlays, so that a rollback leaves nothing behind. Two transactions that write to the same
 * row wait for one another, as they would in FusionAuth's database.
 */
export class Store {
  readonly #tables = tables()
  readonly #locks = new Map<string, { readonly owner: symbol; readonly until: Promise<void> }>()

  get tables(): ReadableTables {
    return this.#tables
  }

  /** Writes in a transaction that sends no events. Throws `RowLocked` when an open transaction has locked a row. */
  write(change: (writing: WritableTables) => void): void {
    const transaction = this.begin()
    try {
      change(transaction.tables)
      transaction.commit()
    } finally {
      transaction.close()
    }
  }

  begin(): StoreTransaction {
    const owner = Symbol('transaction')
    const mine = new Set<string>()
    const { promise: until, resolve: end } = Promise.withResolvers<void>()
    const lock: Lock = (what) => {
      const held = this.#locks.get(what)
      if (held === undefined) {
        this.#locks.set(what, { owner, until })
        mine.add(what)
      } else if (held.owner !== owner) throw new RowLocked(held.until)
    }
    const overlays = new Overlays(this.#tables, lock)
    return {
      tables: overlays,
      commit: () => overlays.commit(),
      close: () => {
        for (const what of mine) this.#locks.delete(what)
        end()
      },
    }
  }
}

type AllTables = { readonly [T in keyof Tables]: Table<Tables[T]> }

/** An index named `unique…` allows one row per key. */
function tables(): AllTables {
  return {
    tenants: new Table(),
    applications: new Table({ tenant: (row) => [row.tenantId] }),
    users: new Table({
      uniqueLoginId: (row) =>
        row.identities.map((identity) => loginIdKey(row.tenantId, identity.type, identity.value)),
      tenant: (row) => [row.tenantId],
    }),
    passwords: new Table(),
    groups: new Table({ tenant: (row) => [row.tenantId] }),
    members: new Table({ user: (row) => [row.userId], group: (row) => [row.groupId] }),
    entityTypes: new Table(),
    entities: new Table(),
    userActions: new Table(),
    userActionReasons: new Table(),
    actions: new Table({ user: (row) => [row.actioneeUserId] }),
    refreshTokens: new Table({
      token: (row) => [row.token],
      user: (row) => [row.userId],
      application: (row) => (row.applicationId === undefined ? [] : [row.applicationId]),
    }),
    identityProviders: new Table(),
    links: new Table({
      user: (row) => [row.userId],
      uniqueIdentity: (row) => [`${row.tenantId} ${row.identityProviderId} ${row.identityProviderUserId}`],
    }),
    codes: new Table({ user: (row) => [row.userId] }),
    auditLogs: new Table(),
    webhooks: new Table(),
    keys: new Table(),
    apiKeys: new Table({ uniqueKey: (row) => [row.key] }),
    system: new Table(),
  }
}

/** The key of a user in `uniqueLoginId`. Login ids that differ only in case are the same. */
export function loginIdKey(tenantId: string, type: string, value: string): string {
  return `${tenantId} ${type} ${value.toLowerCase()}`
}

/** The overlays of one transaction, created on first use: most transactions touch two or three tables. */
class Overlays implements WritableTables {
  readonly #base: AllTables
  readonly #lock: Lock
  readonly #made = new Map<string, { commit(): void }>()

  constructor(base: AllTables, lock: Lock) {
    this.#base = base
    this.#lock = lock
  }

  commit(): void {
    for (const overlay of this.#made.values()) overlay.commit()
  }

  get tenants(): Overlay<Tables['tenants']> {
    return this.#over('tenants')
  }

  get applications(): Overlay<Tables['applications']> {
    return this.#over('applications')
  }

  get users(): Overlay<Tables['users']> {
    return this.#over('users')
  }

  get passwords(): Overlay<Tables['passwords']> {
    return this.#over('passwords')
  }

  get groups(): Overlay<Tables['groups']> {
    return this.#over('groups')
  }

  get members(): Overlay<Tables['members']> {
    return this.#over('members')
  }

  get entityTypes(): Overlay<Tables['entityTypes']> {
    return this.#over('entityTypes')
  }

  get entities(): Overlay<Tables['entities']> {
    return this.#over('entities')
  }

  get userActions(): Overlay<Tables['userActions']> {
    return this.#over('userActions')
  }

  get userActionReasons(): Overlay<Tables['userActionReasons']> {
    return this.#over('userActionReasons')
  }

  get actions(): Overlay<Tables['actions']> {
    return this.#over('actions')
  }

  get refreshTokens(): Overlay<Tables['refreshTokens']> {
    return this.#over('refreshTokens')
  }

  get identityProviders(): Overlay<Tables['identityProviders']> {
    return this.#over('identityProviders')
  }

  get links(): Overlay<Tables['links']> {
    return this.#over('links')
  }

  get codes(): Overlay<Tables['codes']> {
    return this.#over('codes')
  }

  get auditLogs(): Overlay<Tables['auditLogs']> {
    return this.#over('auditLogs')
  }

  get webhooks(): Overlay<Tables['webhooks']> {
    return this.#over('webhooks')
  }

  get keys(): Overlay<Tables['keys']> {
    return this.#over('keys')
  }

  get apiKeys(): Overlay<Tables['apiKeys']> {
    return this.#over('apiKeys')
  }

  get system(): Overlay<Tables['system']> {
    return this.#over('system')
  }

  #over<Name extends keyof Tables>(name: Name): Overlay<Tables[Name]> {
    // Proof of `as`: only the lines below store an overlay under this name.
    const known = this.#made.get(name) as Overlay<Tables[Name]> | undefined
    if (known !== undefined) return known
    const overlay = new Overlay<Tables[Name]>(this.#base[name], (what) => this.#lock(`${name} ${what}`))
    this.#made.set(name, overlay)
    return overlay
  }
}
