import { Busy, Overlay, type Rows } from './draft.ts'
import type { Tables } from './rows.ts'
import { Table, type View } from './table.ts'

/** Everything committed. */
export type Reading = { readonly [T in keyof Tables]: View<Tables[T]> }

/** Everything committed with a transaction's own changes over it. */
export type Writing = { readonly [T in keyof Tables]: Rows<Tables[T]> }

/** An open transaction. Ends by `commit` or by `close`, which is a rollback when nothing was committed. */
export interface Transaction {
  readonly writing: Writing
  commit(): void
  close(): void
}

/**
 * The emulator's database. A transaction writes into a draft of its own, so that one that is not committed leaves no trace; two that
 * write to the same row wait for one another, as they would in FusionAuth's database.
 */
export class Store {
  readonly #tables = tables()
  readonly #claims = new Map<string, { readonly owner: symbol; readonly until: Promise<void> }>()

  get reading(): Reading {
    return this.#tables
  }

  /** Writes at once, in a transaction that tells nobody. Throws `Busy` when an open transaction holds a row. */
  write(change: (writing: Writing) => void): void {
    const transaction = this.begin()
    try {
      change(transaction.writing)
      transaction.commit()
    } finally {
      transaction.close()
    }
  }

  begin(): Transaction {
    const owner = Symbol('transaction')
    const mine = new Set<string>()
    const { promise: until, resolve: end } = Promise.withResolvers<void>()
    const claim = (what: string) => {
      const claimed = this.#claims.get(what)
      if (claimed === undefined) {
        this.#claims.set(what, { owner, until })
        mine.add(what)
      } else if (claimed.owner !== owner) throw new Busy(claimed.until)
    }
    const overlays = overlay(this.#tables, claim)
    return {
      writing: overlays,
      commit() {
        for (const changes of Object.values(overlays)) changes.commit()
      },
      close: () => {
        for (const what of mine) this.#claims.delete(what)
        end()
      },
    }
  }
}

type Every = { readonly [T in keyof Tables]: Table<Tables[T]> }

/** An index named `unique…` admits one row per key. */
function tables(): Every {
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

/** How `uniqueLoginId` knows a user: case does not tell two login ids apart. */
export function loginIdKey(tenantId: string, type: string, value: string): string {
  return `${tenantId} ${type} ${value.toLowerCase()}`
}

function overlay(
  every: Every,
  claim: (what: string) => void,
): { readonly [T in keyof Tables]: Overlay<Tables[T]> } {
  const of = <R extends { readonly id: string }>(table: Table<R>, name: string) =>
    new Overlay(table, (what) => claim(`${name} ${what}`))
  return {
    tenants: of(every.tenants, 'tenants'),
    applications: of(every.applications, 'applications'),
    users: of(every.users, 'users'),
    passwords: of(every.passwords, 'passwords'),
    groups: of(every.groups, 'groups'),
    members: of(every.members, 'members'),
    entityTypes: of(every.entityTypes, 'entityTypes'),
    entities: of(every.entities, 'entities'),
    userActions: of(every.userActions, 'userActions'),
    userActionReasons: of(every.userActionReasons, 'userActionReasons'),
    actions: of(every.actions, 'actions'),
    refreshTokens: of(every.refreshTokens, 'refreshTokens'),
    identityProviders: of(every.identityProviders, 'identityProviders'),
    links: of(every.links, 'links'),
    codes: of(every.codes, 'codes'),
    auditLogs: of(every.auditLogs, 'auditLogs'),
    webhooks: of(every.webhooks, 'webhooks'),
    keys: of(every.keys, 'keys'),
    apiKeys: of(every.apiKeys, 'apiKeys'),
    system: of(every.system, 'system'),
  }
}
