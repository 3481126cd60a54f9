import { setImmediate as turn } from 'node:timers/promises'
import type { Tending } from '../../../model/tending.ts'
import { answerInSteps, type Question, type Reply } from '../read/questions.ts'
import { readerThread } from '../read/reader-thread.ts'
import type { Reads } from '../read/reads.ts'
import type { Sessions } from '../write/sessions.ts'
import type { Writer } from '../write/writer.ts'

interface Inbox {
  readonly sessions: Sessions
  readonly writer: Writer
  /** The database is a path of ours, so that another connection may open it. */
  readonly isPath: boolean
  readonly now: () => number
  readonly wake: () => void
  readonly limit: Tending['limit']
}

/**
 * Tends an inbox: looks in another thread, changes in this one, a step at a time. What a step found may have changed by the time it is
 * changed, so each change asks again.
 */
export function tending({
  sessions,
  writer,
  isPath,
  now,
  wake,
  limit,
}: Inbox): Tending & { close(): Promise<void> } {
  const thread = readerThread()

  async function look<Ask extends keyof Reads>(
    ask: Ask,
    ...args: Parameters<Reads[Ask]>
  ): Promise<Reply<Ask>> {
    const question = [ask, ...args] as unknown as Question // The arguments are those of what is asked.
    const path = await sessions.use((session) => (isPath ? session.path : ''))
    const reply = path === '' ? undefined : await thread.ask(path, question)
    const value =
      reply === undefined
        ? await answerInSteps(await sessions.use(({ reads }) => reads()), question, () => turn())
        : reply.value
    return value as Reply<Ask> // What answers a question is what is asked.
  }

  /** By which pruning judges. */
  function judgedTime(): Promise<number> {
    return sessions.use(({ time }) => {
      time.warnIfDoubted()
      return time.judged()
    })
  }

  let steps = 0

  /** Now and then after a step: outside of this thread, or not at all. */
  async function checkpoint(): Promise<void> {
    const path = sessions.current()?.path
    if (!isPath || path === undefined || path === '' || ++steps % checkpointEvery !== 0) return
    await thread.ask(path, ['checkpoint', path])
  }

  return {
    find: (where, paging) => look('find', where, paging),

    overview: () => look('overview', now()),

    async replay(where, after) {
      const { items, next } = await look('replayable', where, after)
      if (items.length === 0) return { deliveries: 0, ...(next !== undefined && { next }) }
      const deliveries = await writer.write(({ tend }) => tend.replay(items, where, now()), {
        durable: next === undefined,
      })
      await checkpoint()
      wake()
      return { deliveries, ...(next !== undefined && { next }) }
    },

    async prune(what, after) {
      const prunable = await look('prunable', what, after, await judgedTime())
      const { rows, next, pressed } = prunable
      const events = rows.length === 0 ? 0 : await writer.write(({ tend }) => tend.prune(prunable), soon)
      if (events > 0) await checkpoint()
      return { events, ...(next !== undefined && { next }), ...(pressed !== undefined && { pressed }) }
    },

    async erase(person, after) {
      // First, and durable: what comes in meanwhile is blanked by append.
      if (after === undefined)
        await writer.write(({ tend, time }) => tend.people.remember(person, time.erasedUntil()))
      const { kind, seqs, next } = await look('erasable', person, after)
      const erased = await writer.write(({ tend }) =>
        kind === 'events'
          ? tend.erase(person, seqs, now())
          : { events: tend.eraseAsides(person, seqs), deliveries: 0 },
      )
      wake()
      return { ...erased, ...(next !== undefined && { next }) }
    },

    noteErasure: (person, note) =>
      writer.write(({ tend, time }) => tend.people.note(person, note, time.erasedUntil())),

    findErasureNote: (person) => sessions.use(({ tend }) => tend.people.findNote(person)),

    endErasure: (person) => writer.write(({ tend }) => tend.people.forgetNote(person)),

    async scrub(gone, { compact = false } = {}) {
      const path = await sessions.use((session) => session.path)
      // A handle may be another library's: no second connection to its file may be opened, or closed, in this process.
      if (compact && isPath && path !== '') await look('compact', path)
      else if (compact) await sessions.use(({ db }) => db.exec('vacuum'))
      const ofThread = isPath && path !== '' ? await thread.ask(path, ['emptyLog', path]) : undefined
      const empty = ofThread?.value ?? (await sessions.use(({ emptyLog }) => emptyLog()))
      if (empty !== true) return 'pending'
      return path !== '' && (await look('holds', path, gone)) ? 'remnants' : 'scrubbed'
    },

    record: (receipts) => writer.write(({ tend }) => tend.record(receipts), soon),

    receipts: (paging) => look('receipts', paging),

    beat: (node) =>
      writer.write(({ tend }) => {
        tend.nodes.beat(node, now())
        tend.abandonment.markRun(node.handlers)
      }, soon),

    countIdle: (ms) => writer.write(({ tend }) => tend.abandonment.countIdle(ms, now()), soon),

    abandon: () => writer.write(({ tend }) => tend.abandonment.abandon(), soon),

    leave: (nodeId) => writer.write(({ tend }) => tend.nodes.leave(nodeId), soon),

    limit,

    hold: (duty, nodeId, forMs) =>
      writer.write(({ tend }) => tend.nodes.hold(duty, nodeId, now(), now() + forMs), soon),

    close: () => thread.close(),
  }
}

/** Each is a sync of the file, beside those of the log that acknowledgements wait for. */
const checkpointEvery = 8

/** What a power cut undoes is done again. */
const soon = { durable: false } as const
