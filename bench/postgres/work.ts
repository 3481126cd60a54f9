import { createHash, randomUUID } from 'node:crypto'
import { makeWorkerUtils } from 'graphile-worker'
import type { Arrival } from '../../src/model/arrival.ts'
import { query } from '../../test/postgres/server.ts'
import { type Build, importFrom } from '../lib/build.ts'
import { eventBody } from '../lib/event-body.ts'
import { database } from './database.ts'
import type { Work } from './working.ts'

const users = 1_000
const waiting = (quick: boolean) => (quick ? 4_000 : 40_000)

/** Events of a thousand users, in lanes, waiting for a handler. */
export function inboxOf(name: string): (build: Build) => Promise<Work> {
  return async (build) => {
    const { postgres } = await importFrom(build, './postgres')
    const { url, [Symbol.asyncDispose]: leave } = await database(name, build)
    const engine = postgres(url)
    await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
    return {
      url,
      async fill(quick) {
        await expire(url)
        for (
          let { handlers } = await engine.stats(), n = handlers[0]?.pending ?? 0;
          n < waiting(quick);
          n += 1_000
        ) {
          await engine.append(Array.from({ length: 1_000 }, (_, i) => arrivalOf(`user ${i % users}`)))
        }
        await analyze(url)
      },
      async [Symbol.asyncDispose]() {
        await engine[Symbol.asyncDispose]()
        await leave()
      },
    }
  }
}

export function arrivalOf(lane: string): Arrival {
  const id = randomUUID()
  const body = Buffer.from(eventBody(id).replace('"user.delete"', '"user.delete.complete"'))
  return {
    key: { createInstant: Date.now(), tenantId: '', id },
    type: 'user.delete.complete',
    source: 'door',
    receivedAt: Date.now(),
    hash: createHash('sha256').update(body).digest(),
    body,
    lane,
    applicationIds: [],
    subjects: [lane],
  }
}

/** What a killed worker held is due again. */
async function expire(url: string): Promise<void> {
  await query(
    url,
    'update fusewire.heads set due = least(due, fusewire.now()), token = null, attempts = 0, crashes = 0',
  )
}

/** Jobs of a thousand named queues, waiting for a task. */
export async function namedQueues(name: string, build: Build): Promise<Work> {
  const { url, [Symbol.asyncDispose]: leave } = await database(name, build)
  const utils = await makeWorkerUtils({ connectionString: url, maxPoolSize: 4 })
  await utils.migrate()
  return {
    url,
    async fill(quick) {
      await query(
        url,
        'select graphile_worker.force_unlock_workers(array(select distinct locked_by from graphile_worker._private_jobs where locked_by is not null))',
      )
      const [jobs] = await query(url, 'select count(*) from graphile_worker._private_jobs')
      for (let n = Number(jobs?.['count']); n < waiting(quick); n += 1_000) {
        await utils.addJobs(
          Array.from({ length: 1_000 }, (_, i) => ({
            identifier: 'event',
            queueName: `user ${i % users}`,
            payload: JSON.parse(eventBody(randomUUID())).event as object, // An object by its making.
          })),
        )
      }
      await analyze(url)
    },
    async [Symbol.asyncDispose]() {
      await utils.release()
      await leave()
    },
  }
}

async function analyze(url: string): Promise<void> {
  await query(url, 'vacuum analyze')
}
