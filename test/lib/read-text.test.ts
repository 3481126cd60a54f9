import { expect, test } from 'vitest'
import { readText } from '../../src/lib/read-text.ts'

test('reads a body up to its limit, a character that two chunks share included', async () => {
  const bytes = Buffer.from('grüße')
  const body = ReadableStream.from([bytes.subarray(0, 3), bytes.subarray(3)])
  expect(await readText(body, bytes.length)).toBe('grüße')
  expect(await readText(null, 0)).toBe('')
})

test('stops reading behind the limit and cancels the body', async () => {
  let sent = 0
  let isCancelled = false
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => (sent++, controller.enqueue(new Uint8Array(10))),
    cancel: () => void (isCancelled = true),
  })
  expect(await readText(endless, 25)).toBeUndefined()
  expect(isCancelled).toBe(true)
  expect(sent).toBeLessThan(6)
})
