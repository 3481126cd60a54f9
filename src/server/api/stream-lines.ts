import { describeError } from '../../lib/describe-error.ts'
import type { Log } from '../../model/log.ts'

/** Lines as a body, each made when the client reads it. Rejects when the first one cannot be made: then an error can still be answered. */
export async function streamLines(
  lines: AsyncIterable<string>,
  log: Log,
): Promise<ReadableStream<Uint8Array>> {
  const iterator = lines[Symbol.asyncIterator]()
  let first: IteratorResult<string> | undefined = await iterator.next()
  // The HTTP adapter writes the error that breaks a stream to stderr, so the cause goes to the log instead.
  const broken = (error: unknown) => {
    log.error({ error: describeError(error) }, 'an export broke off')
    throw new Error('the export broke off')
  }
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = first ?? (await iterator.next().catch(broken))
      first = undefined
      if (done === true) controller.close()
      else controller.enqueue(Buffer.from(`${value}\n`))
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}
