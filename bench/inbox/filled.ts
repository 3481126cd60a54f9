import { DatabaseSync } from 'node:sqlite'
import { type Build, importFrom } from '../lib/build.ts'
import { rowOf, textOf, type } from './events.ts'
import { newFile } from './file.ts'

/** Before anything a load sends. */
const since = 1_800_000_000_000

/** An inbox with so many events of the past, each delivered: written in one go, but as they lie there had they come one by one. */
export async function filled(events: number, build: Build): Promise<string> {
  const { sqlite } = await importFrom(build, './sqlite')
  const file = newFile()
  {
    await using engine = sqlite(file, { allowVolatile: true })
    await engine.subscribe([{ handler: 'a', types: [type], ordering: 'lane' }])
  }
  using db = new DatabaseSync(file)
  db.exec('pragma journal_mode = off')
  db.exec('pragma synchronous = off')
  db.exec('begin')
  const insertEvent = db.prepare(`
    insert into fw_events (seq, created, tenant, id, type, source, received, hash, body)
    values (?, ?, '', ?, '${type}', 'door', ?, ?, ?)
  `)
  const insertSubject = db.prepare('insert into fw_subjects (bucket, subject, seq) values (?, ?, ?)')
  const insertDelivery = db.prepare(`
    insert into fw_deliveries (seq, handler, lane, state, token, attempts) values (?, 1, ?, 'succeeded', 1, 1)
  `)
  const body = Buffer.from(textOf(rowOf(0)))
  for (let seq = 1; seq <= events; seq++) {
    const [id, , user] = rowOf(seq)
    const at = since + Math.floor(seq / 8)
    insertEvent.run(seq, at, id, at, body.subarray(0, 32), body)
    insertSubject.run(Math.floor(seq / 1_024), user, seq)
    insertDelivery.run(seq, user)
  }
  db.exec('commit')
  return file
}
