import type { InboxReader } from './inbox-reader.ts'

/** A method of InboxReader and its arguments, to be sent to the thread that reads. */
export type ReaderRequest = {
  [Method in keyof InboxReader]: readonly [Method, ...Parameters<InboxReader[Method]>]
}[keyof InboxReader]

/** The result of a request. A method that works in steps (a generator) is run to its end. */
export type ReaderReply<Method extends keyof InboxReader> =
  ReturnType<InboxReader[Method]> extends Generator<void, infer Result>
    ? Result
    : ReturnType<InboxReader[Method]>

/** In the thread that reads. `yieldCpu` is called between two steps. */
export function runRequest(
  reader: InboxReader,
  [method, ...args]: ReaderRequest,
  yieldCpu: () => void,
): unknown {
  const result = call(reader, method, args)
  if (!isGenerator(result)) return result
  for (;;) {
    const { done, value } = result.next()
    if (done === true) return value
    yieldCpu()
  }
}

/** In the main thread, where no other thread can start. Awaits `pause` between two steps. */
export async function runRequestInSteps(
  reader: InboxReader,
  [method, ...args]: ReaderRequest,
  pause: () => Promise<unknown>,
): Promise<unknown> {
  const result = call(reader, method, args)
  if (!isGenerator(result)) return result
  for (;;) {
    const { done, value } = result.next()
    if (done === true) return value
    await pause()
  }
}

function call(reader: InboxReader, method: keyof InboxReader, args: readonly unknown[]): unknown {
  const read = reader[method] as (...args: readonly unknown[]) => unknown // A request carries the arguments of its method.
  return read(...args)
}

function isGenerator(result: unknown): result is Generator<void, unknown> {
  return typeof result === 'object' && result !== null && Symbol.iterator in result && 'next' in result
}
