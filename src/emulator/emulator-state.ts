import { randomBytes, randomUUID } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Key } from './state/tables.ts'
import { Store, type ReadableTables } from './state/store.ts'
import { EventSystem, type Rules } from './system/event-system.ts'
import type { Targets } from './system/targets.ts'

/** One instance of FusionAuth: its database and its event system. A reset creates a new one. */
export interface EmulatorState {
  readonly rows: ReadableTables
  readonly store: Store
  readonly events: EventSystem
  readonly defaultTenantId: string
  readonly rules: Rules
  /** Signs the access tokens of this instance. */
  readonly tokenSecret: string
}

export interface EmulatorStateOptions {
  readonly clock: Clock
  readonly targets: Targets
  readonly rules: Rules
  readonly apiKey: string
  /** The key that signs webhooks until another is created; the same after a reset, so that receivers still trust it. */
  readonly signingKey: Key
  readonly defaultTenantId?: string | undefined
}

/** FusionAuth as after its installation: a default tenant, FusionAuth's own application, one key, one unrestricted API key. */
export function createEmulatorState({
  clock,
  targets,
  rules,
  apiKey,
  signingKey,
  defaultTenantId = randomUUID(),
}: EmulatorStateOptions): EmulatorState {
  const store = new Store()
  const events = new EventSystem(store, clock, targets, rules)
  const now = events.now()
  const born = { insertInstant: now, lastUpdateInstant: now }
  store.write((rows) => {
    rows.tenants.put({
      id: defaultTenantId,
      name: 'Default',
      eventConfiguration: { events: {} },
      data: {},
      ...born,
    })
    rows.applications.put({
      id: '3c219e58-ed0e-4b18-ad48-f4f92793ae32',
      tenantId: defaultTenantId,
      name: 'FusionAuth',
      active: true,
      roles: [],
      data: {},
      ...born,
    })
    rows.keys.put({ ...signingKey, ...born })
    rows.apiKeys.put({ id: randomUUID(), key: apiKey, ...born })
    rows.system.put({
      id: 'system',
      data: {},
      webhookEventLogConfiguration: { enabled: true, delete: { enabled: true, numberOfDaysToRetain: 30 } },
      ...born,
    })
  })
  return {
    rows: store.tables,
    store,
    events,
    defaultTenantId,
    rules,
    tokenSecret: randomBytes(32).toString('base64url'),
  }
}
