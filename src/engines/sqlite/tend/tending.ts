import { setImmediate as nextIteration } from 'node:timers/promises'
import type { Tending } from '../../../model/tending.ts'
import { runRequestInSteps, type ReaderRequest, type ReaderReply } from '../read/reader-request.ts'
import { createReaderThread } from '../read/reader-thread.ts'
import type { InboxReader } from '../read/inbox-reader.ts'
import type { Sessions } from '../write/sessions.ts'
import type { Writer } from '../write/writer.ts'

interface Inbox {
  readonly sessions: Sessions
  readonly writer: Writer
  /** The inbox was given as a path, so another connection may open the file. */
  readonly isPath: boolean
  readonly now: () => number
  readonly wake: () => void
  readonly limit: Tending['limit']
}

/**
 * Reads in another thread, and writes in this one, a step at a time. A row that was found may have changed before it is written, so each
 * write checks its state again.
 */
export function createTending({
  sessions,
  writer,
  isPath,
  now,
  wake,
  limit,
}: Inbox): Tending & { close(): Promise<void> } {
  const thread = createReaderThread()

  async function read<Method extends keyof InboxReader>(
    method: Method,
    ...args: Parameters<InboxReader[Method]>
  ): Promise<ReaderReply<Method>> {
    const request = [method, ...args] as unknown as ReaderRequest // `args` are the parameters of `method`.
    const path = await sessions.use((session) => (isPath ? session.path : ''))
    const reply = path === '' ? undefined : await thread.send(path, request)
    const value =
      reply === undefined
        ? await runRequestInSteps(await sessions.use(({ reader }) => reader()), request, () =>
            nextIteration(),
          )
        : reply.value
    return value as ReaderReply<Method> // The reply to a request for `method`.
  }

  /** The time by which pruning decides what is old. */
  function judgedTime(): Promise<number> {
    return sessions.use(({ clock }) => {
      clock.warnIfUnconfirmed()
      return clock.judged()
    })
  }

  let steps = 0

  /** Every eighth step, in the thread that reads. Without that thread only the writer checkpoints. */
  async function checkpointSometimes(): Promise<void> {
    const path = sessions.current()?.path
    if (!isPath || path === undefined || path === '' || ++steps % stepsPerCheckpoint !== 0) return
    await thread.send(path, ['checkpointWal', path])
  }

  return {
    find: (where, paging) => read('find', where, paging),

    overview: () => read('overview', now()),

    async replay(where, after) {
      const { items, next } = await read('findReplayable', where, after)
      if (items.length === 0) return { deliveries: 0, ...(next !== undefined && { next }) }
      const deliveries = await writer.write(({ tend }) => tend.replay(items, where, now()), {
        durable: next === undefined,
      })
      await checkpointSometimes()
      wake()
      return { deliveries, ...(next !== undefined && { next }) }
    },

    async prune(what, after) {
      const prunable = await read('findPrunable', what, after, await judgedTime())
      const { rows, next, pressed } = prunable
      const events =
        rows.length === 0 ? 0 : await writer.write(({ tend }) => tend.prune(prunable), notDurable)
      if (events > 0) await checkpointSometimes()
      return { events, ...(next !== undefined && { next }), ...(pressed !== undefined && { pressed }) }
    },

    async erase(person, after) {
      // First, and durable: from now on append blanks events of the person.
      if (after === undefined)
        await writer.write(({ tend, clock }) => tend.erasedPeople.remember(person, clock.erasedUntil()))
      const { kind, seqs, next } = await read('findErasable', person, after)
      const erased = await writer.write(({ tend }) =>
        kind === 'events'
          ? tend.erase(person, seqs, now())
          : { events: tend.eraseSetAside(person, seqs), deliveries: 0 },
      )
      wake()
      return { ...erased, ...(next !== undefined && { next }) }
    },

    noteErasure: (person, note) =>
      writer.write(({ tend, clock }) => tend.erasedPeople.note(person, note, clock.erasedUntil())),

    findErasureNote: (person) => sessions.use(({ tend }) => tend.erasedPeople.findNote(person)),

    endErasure: (person) => writer.write(({ tend }) => tend.erasedPeople.forgetNote(person)),

    async scrub(gone, { compact = false } = {}) {
      const path = await sessions.use((session) => session.path)
      // A given handle may belong to another library: closing a second connection in this process would drop its locks.
      if (compact && isPath && path !== '') await read('compact', path)
      else if (compact) await sessions.use(({ db }) => db.exec('vacuum'))
      const inThread = isPath && path !== '' ? await thread.send(path, ['truncateWal', path]) : undefined
      const empty = inThread?.value ?? (await sessions.use((session) => session.truncateWal()))
      if (empty !== true) return 'pending'
      return path !== '' && (await read('filesContain', path, gone)) ? 'remnants' : 'scrubbed'
    },

    record: (receipts) => writer.write(({ tend }) => tend.recordReceipts(receipts), notDurable),

    receipts: (paging) => read('findReceipts', paging),

    beat: (node) =>
      writer.write(({ tend }) => {
        tend.nodes.beat(node, now())
        tend.markRun(node.handlers)
      }, notDurable),

    countIdle: (ms) => writer.write(({ tend }) => tend.countIdle(ms, now()), notDurable),

    abandon: () => writer.write(({ tend }) => tend.abandon(), notDurable),

    leave: (nodeId) => writer.write(({ tend }) => tend.nodes.leave(nodeId), notDurable),

    limit,

    hold: (duty, nodeId, forMs) =>
      writer.write(({ tend }) => tend.nodes.hold(duty, nodeId, now(), now() + forMs), notDurable),

    close: () => thread.close(),
  }
}

/** Steps for each checkpoint. A checkpoint syncs the database file, which slows down the syncs that acknowledgements wait for. */
const stepsPerCheckpoint = 8

/** A power loss can undo it; the next run does it again. */
const notDurable = { durable: false } as const
