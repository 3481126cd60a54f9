import { apiKey, Denied, Permanent, Webhook } from 'fusewire'
import type { Engine } from 'fusewire'
import { expect, test } from 'vitest'
import { nameOf } from '../../src/engines/postgres/sql.ts'
import { subjectHash } from '../../src/engines/sqlite/subject-hash.ts'
import { canonicalId } from '../../src/model/canonical-id.ts'
import { loginSubject } from '../../src/model/login-subject.ts'
import { good, key } from '../support/door.ts'
import { keptLog } from '../support/log.ts'

const tenantId = '7e4a0000-0000-4000-8000-000000000009'
export const ada = {
  id: 'ada00000-0000-4000-8000-0000000000aa',
  email: 'ada@example.com',
  oldEmail: 'ada@old.example',
  phone: '+4917612345678',
  username: 'ada-lovelace',
  fullName: 'Ada Lovelace-King',
}
const bob = { id: 'b0b00000-0000-4000-8000-0000000000bb', email: 'bob@example.com' }
const user = {
  id: ada.id,
  email: ada.email,
  username: ada.username,
  fullName: ada.fullName,
  identities: [{ type: 'phoneNumber', value: ada.phone }],
}

/** Everything by which Ada may stand in a row: in the clear, and hashed as lanes and indexes have her. */
function namesOfAda(): readonly string[] {
  const logins = [ada.email, ada.oldEmail, ada.phone, ada.username]
  const subjects = [canonicalId(ada.id), ...logins.map(loginSubject)]
  const lane = canonicalId(`${tenantId}/${ada.id}`)
  const hashes = [...subjects, lane].flatMap((one) => [
    one.replace('sha256:', ''),
    nameOf(one),
    subjectHash(one),
  ])
  return [...new Set([...Object.values(ada), ...hashes])]
}

/** A store that may be opened again and again, as by other processes. */
export interface Store extends AsyncDisposable {
  open(): Engine
  /** Takes samples of all values, for a planner. */
  sample?(): Promise<void>
  /** Those of these texts that any column of any table holds, or, once scrubbed, the file. */
  holding(texts: readonly string[]): Promise<readonly string[]>
}

export function webhookOn(inbox: Engine): Webhook {
  const webhook = new Webhook({ authenticate: apiKey(key), inbox, log: keptLog() })
  webhook.gate('user.deactivate', ({ event }) => {
    throw new Denied(`${event.user.email} may not`)
  })
  webhook.on('*', { name: 'audit', when: 'received' }, ({ event }) => {
    if (event.type === 'user.login.success') throw new Permanent(`cannot mail ${JSON.stringify(event.user)}`)
    if (event.type === 'user.email.update') throw new Error(`cannot mail ${JSON.stringify(event.user)}`)
  })
  // A dead letter in a lane in which nothing else waits.
  webhook.on('user.login.success', { name: 'mailer', when: 'received' }, ({ event }) => {
    throw new Permanent(`cannot mail ${event.user.email}`)
  })
  webhook.on('user.password.update', { name: 'unordered', ordering: 'none' }, ({ event }) => {
    throw new Error(`cannot mail ${event.user.email}`)
  })
  return webhook
}

/** Events of Ada in every state: handled, dead, waiting for a retry, behind one that waits, refused, set aside, by a login alone. */
export async function fill(webhook: Webhook): Promise<void> {
  let n = 0
  const send = async (type: string, fields: object, id = `e0000000-0000-4000-8000-00000000000${n++}`) => {
    const event = { type, id, tenantId, createInstant: Date.now() - 60_000 + n, info: {}, ...fields }
    const body = JSON.stringify({ event })
    return webhook.fetch(new Request('http://localhost/', { method: 'POST', headers: good, body }))
  }
  await send('user.create.complete', { user })
  await send('user.login.success', { user })
  await send('user.deactivate', { user })
  await send('user.update.complete', { user: bob, original: bob })
  await webhook.drain()
  await send('user.email.update', { user, previousEmail: ada.oldEmail })
  await send('user.update.complete', { user, original: user })
  await send('user.password.update', { user })
  await webhook.drain({ withinMs: 0 })
  await webhook.drain()
  // Of people without an id beside it, or beside somebody else's.
  await send('user.identity.verified', { loginId: ada.phone, loginIdType: 'phoneNumber' })
  await send('user.identity.verified', { loginId: ada.oldEmail.toUpperCase(), loginIdType: 'email' })
  await send('audit-log.create', { auditLog: { insertUser: ada.email, newValue: bob } })
  await send('audit-log.create', { auditLog: { message: 'a role was changed' } })
  const again = 'e0000000-0000-4000-8000-0000000000ff'
  const createInstant = Date.now() - 30_000
  await send('user.reactivate', { user, createInstant }, again)
  await send('user.reactivate', { user, createInstant, note: 'other bytes' }, again)
  await send('user.reactivate', { user, createInstant: 1_000 })
}

/** What an erasure promises of any store. */
export function erasesOn(open: () => Promise<Store>): void {
  test('an erasure that was broken off is ended by the same call, also from another process', async () => {
    await using store = await open()
    {
      await using webhook = webhookOn(store.open())
      await fill(webhook)
      expect(await store.holding(namesOfAda())).toEqual(
        expect.arrayContaining([ada.email, ada.oldEmail, ada.phone]),
      )
      const stop = new AbortController()
      const onProgress = () => stop.abort(new Error('enough'))
      const erasing = webhook.inbox.erase({ userId: ada.id }, { signal: stop.signal, onProgress })
      await expect(erasing).rejects.toThrow('enough')
    }
    await using webhook = webhookOn(store.open())
    const report = await webhook.inbox.erase({ userId: ada.id }, { compact: true })
    expect(report.events).toBeGreaterThan(2)
    expect(['scrubbed', 'overwritten later']).toContain(report.bytes)
    const left = (await webhook.inbox.page()).items.map(({ type }) => type)
    expect(left.toSorted()).toEqual(['audit-log.create', 'user.update.complete'])
    expect(await webhook.inbox.erase({ userId: ada.id })).toMatchObject({ events: 0 })
  })

  test('after an erasure no column of any table names the person', async () => {
    await using store = await open()
    await using webhook = webhookOn(store.open())
    await fill(webhook)
    await store.sample?.()
    await webhook.inbox.erase({ userId: ada.id.toUpperCase() }, { compact: true })
    expect(await store.holding(namesOfAda())).toEqual([])
    const { items } = await webhook.inbox.page()
    expect(items).toHaveLength(2)
  })
}
