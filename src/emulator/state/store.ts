import { Busy, Overlay, type Claim, type Rows } from './draft.ts'
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
    const claim: Claim = (what) => {
      const claimed = this.#claims.get(what)
      if (claimed === undefined) {
        this.#claims.set(what, { owner, until })
        mine.add(what)
      } else if (claimed.owner !== owner) throw new Busy(claimed.until)
    }
    const drafts = new Drafts(this.#tables, claim)
    return {
      writing: drafts,
      commit: () => drafts.commit(),
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

/** The overlays of one transaction. Made when first asked for: most transactions touch two or three tables. */
class Drafts implements Writing {
  readonly #base: Every
  readonly #claim: Claim
  readonly #made = new Map<string, { commit(): void }>()

  constructor(base: Every, claim: Claim) {
    this.#base = base
    this.#claim = claim
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
    // The proof of `as`: only the line below puts an overlay of this name there.
    const known = this.#made.get(name) as Overlay<Tables[Name]> | undefined
    if (known !== undefined) return known
    const overlay = new Overlay<Tables[Name]>(this.#base[name], (what) => this.#claim(`${name} ${what}`))
    this.#made.set(name, overlay)
    return overlay
  }
}
