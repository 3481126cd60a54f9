import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { migrations } from '../../src/engines/postgres/schema.ts'
import { anyServer, query, schema, type Server } from '../postgres/server.ts'
import { type EarlierCode, earlierCode, earlierCommit } from './earlier-code.ts'

const program = fileURLToPath(new URL('node.ts', import.meta.url))
const today = fileURLToPath(new URL('../..', import.meta.url))

let server: Server
let earlier: EarlierCode | undefined
beforeAll(async () => {
  earlier = earlierCode()
  if (earlier !== undefined) server = await anyServer()
})
afterAll(async () => {
  earlier?.[Symbol.dispose]()
  await server?.[Symbol.asyncDispose]()
})

test(`on PostgreSQL, nodes of ${earlierCommit} and of today receive and deliver on one inbox under load: nothing is lost, repeated or overtaken`, async ({
  skip,
}) => {
  if (earlier === undefined) return skip(`git does not know ${earlierCommit}: fetch the whole history`)
  await using inbox = await schema(server)
  await using nodes = new AsyncDisposableStack()
  const started = (folder: string) => nodes.use(node(folder, server.url, inbox.name))
  await query(
    server.url,
    `create schema ${inbox.name}; create table ${inbox.name}.seen (handler text, id text, what text, place serial)`,
  )

  const first = started(earlier.folder)
  await first.hasSent(20)
  const next = started(today) // Changes the tables while the first one works.
  await next.hasSent(20)
  const late = started(earlier.folder) // As after a rollback: an earlier node that starts when the tables have changed.
  await late.hasSent(20)
  const version = await query(server.url, `select max(version) as version from ${inbox.name}.migrations`)
  expect(version).toEqual([{ version: migrations.length }])
  await Promise.all([first.hasSent(100), next.hasSent(100), late.hasSent(60)])

  // The earlier ones go, as at the end of a rolling deploy; what they took in and did not deliver is left to the new one.
  const lanes: (readonly string[])[] = []
  for (const one of [first, late, next]) {
    const { sent, errors } = await one.quiet()
    expect(errors).toEqual([])
    lanes.push(...sent)
  }
  await Promise.all([first.stop(), late.stop()])
  const ids = lanes.flat()
  const seen = async (handler: string) =>
    (
      await query(
        server.url,
        `select id from ${inbox.name}.seen where handler = $1 and what = 'ended' order by place`,
        [handler],
      )
    ).map(({ id }) => String(id))
  await vi.waitFor(
    async () => {
      expect(new Set(await seen('plain')).size).toBe(ids.length)
      expect(new Set(await seen('atomic')).size).toBe(ids.length)
    },
    { timeout: 60_000, interval: 200 },
  )
  await next.stop()

  for (const handler of ['plain', 'atomic']) {
    const ended = await seen(handler)
    expect(ended.toSorted()).toEqual(ids.toSorted()) // Each once.
    const places = new Map(ended.map((id, place) => [id, place]))
    for (const lane of lanes) {
      expect(lane.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0))).toEqual(lane)
    }
  }
  // No attempt began before the one before it in its lane had ended.
  const steps = await query(
    server.url,
    `select id, what from ${inbox.name}.seen where handler = 'plain' order by place`,
  )
  for (const lane of lanes) {
    const ofLane = steps.filter(({ id }) => lane.includes(String(id))).map(({ what }) => what)
    expect(ofLane).toEqual(lane.flatMap(() => ['began', 'ended']))
  }
}, 180_000)

interface Node extends AsyncDisposable {
  /** Waits until so many of its events were acknowledged. */
  hasSent(count: number): Promise<void>
  /** Ends its load. Gives the ids that were acknowledged, in order, for each of its users, and what it logged. */
  quiet(): Promise<{ readonly sent: readonly (readonly string[])[]; readonly errors: readonly string[] }>
  stop(): Promise<void>
}

function node(folder: string, url: string, inbox: string): Node {
  const child: ChildProcess = spawn(process.execPath, [program, folder, url, inbox], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const said: Readonly<Record<string, unknown>>[] = []
  if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => said.push(JSON.parse(line)))
  const waitUntil = { timeout: 60_000, interval: 20 }
  return {
    async hasSent(count) {
      await vi.waitFor(() => expect(said.length).toBeGreaterThanOrEqual(count), waitUntil)
    },
    async quiet() {
      child.stdin?.write('quiet\n')
      await vi.waitFor(() => expect(said.at(-1)).toHaveProperty('sent'), waitUntil)
      return said.at(-1) as unknown as Awaited<ReturnType<Node['quiet']>> // As node.ts writes it.
    },
    async stop() {
      child.stdin?.write('stop\n')
      await exited
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
