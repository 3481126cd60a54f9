import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, describe, test } from 'vitest'
import { sqlite } from 'fusewire/sqlite'
import { memory } from '../../src/engines/memory/engine.ts'
import { sealErasureNote, openErasureNote } from '../../src/inbox/erasure-note.ts'
import { createInbox } from '../../src/inbox/create-inbox.ts'
import type { Engine } from '../../src/model/engine.ts'
import { place } from '../engines/places.ts'
import { ada, erasesOn, fill, type Store, webhookOn } from './erasing.ts'

describe('SQLite', () => {
  erasesOn(async (): Promise<Store> => {
    const at = place()
    return {
      open: () => sqlite(at.file, { allowVolatile: true }),
      async holding(texts) {
        using db = new DatabaseSync(at.file, { readOnly: true })
        const held = [...valuesOf(db)].map((value) => value.toLowerCase())
        const file = readFileSync(at.file).toString('latin1').toLowerCase()
        const isClear = (text: string) => Object.values(ada).includes(text)
        return texts.filter((text) => {
          const lower = text.toLowerCase()
          return held.some((value) => value.includes(lower)) || (isClear(text) && file.includes(lower))
        })
      },
      [Symbol.asyncDispose]: async () => at[Symbol.dispose](),
    }
  })
})

/** Every column of every row of every table, bytes as characters. */
function* valuesOf(db: DatabaseSync): Generator<string> {
  const tables = db.prepare("select name from sqlite_schema where type = 'table'").all()
  for (const { name } of tables) {
    for (const row of db.prepare(`select * from "${String(name)}"`).all()) {
      for (const value of Object.values(row)) {
        yield value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)
      }
    }
  }
}

test('an erasure whose bytes are still about looks for the same texts again', async () => {
  const inner = memory()
  const scrubs: (readonly string[])[] = []
  const answers = ['pending', 'remnants', 'scrubbed', 'scrubbed'] as const
  const { tend } = inner
  if (tend === undefined) throw new Error('memory can be tended')
  const inbox: Engine = {
    ...inner,
    tend: {
      ...tend,
      async scrub(texts) {
        scrubs.push(texts)
        return answers[scrubs.length - 1] ?? 'scrubbed'
      },
    },
  }
  await fill(webhookOn(inbox))
  const told = []
  for (const _ of answers) told.push((await createInbox(inbox).erase({ userId: ada.id })).bytes)
  expect(told).toEqual(answers)
  const all = expect.arrayContaining(Object.values(ada))
  expect(scrubs).toEqual([all, all, all, [ada.id]])
})

test('an erasure of one person is not continued by the erasure of another', async () => {
  const inbox = memory()
  const webhook = webhookOn(inbox)
  await fill(webhook)
  const stop = new AbortController()
  const onProgress = () => stop.abort(new Error('enough'))
  await expect(webhook.inbox.erase({ userId: ada.id }, { signal: stop.signal, onProgress })).rejects.toThrow(
    'enough',
  )
  const before = (await webhook.inbox.page()).items.length
  expect(await webhook.inbox.erase({ userId: 'c0c00000-0000-4000-8000-0000000000cc' })).toMatchObject({
    events: 0,
  })
  expect((await webhook.inbox.page()).items).toHaveLength(before)
})

test('what is remembered of an erasure can be read by the user id alone', () => {
  const identifiers = { logins: [ada.email], texts: Object.values(ada) }
  const note = sealErasureNote(identifiers, { userId: ada.id })
  for (const text of Object.values(ada)) expect(Buffer.from(note).includes(text)).toBe(false)
  expect(openErasureNote(note, { userId: ada.id })).toEqual(identifiers)
  const nothing = { logins: [], texts: [] }
  expect(openErasureNote(note, { userId: ada.id, tenantId: 't' })).toEqual(nothing)
  expect(openErasureNote(note, { userId: 'bob' })).toEqual(nothing)
  expect(openErasureNote(Buffer.alloc(7), { userId: ada.id })).toEqual(nothing)
  expect(openErasureNote(undefined, { userId: ada.id })).toEqual(nothing)
})
