import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { javaSenders } from '../support/java-senders.ts'
import { slowNetwork } from '../support/slow-network.ts'

/** A receiver made by hand: `answer` decides what is done with each request, numbered from 1, of each connection, numbered from 1. */
interface HandMade extends AsyncDisposable {
  readonly url: string
  readonly server: Server
  /** Every connection that came, the closed ones too. */
  readonly connections: Socket[]
  readonly requests: { readonly connection: number; readonly at: number }[]
  readonly open: () => number
}

async function handMade(
  answer: (socket: Socket, request: number, connection: number) => void,
  whole = true,
): Promise<HandMade> {
  const connections: Socket[] = []
  const requests: HandMade['requests'] = []
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    const connection = connections.push(socket)
    let text = ''
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', (more) => {
      text += String(more)
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
      const headEnd = text.indexOf('\r\n\r\n') + 4
      if (headEnd < 4 || (whole && text.length < headEnd + length)) return
      text = whole ? text.slice(headEnd + length) : ''
      if (!whole && length === 0) return
      const request = requests.push({ connection, at: performance.now() })
      answer(socket, request, connection)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  return {
    url: `http://127.0.0.1:${port}/hook`,
    server,
    connections,
    requests,
    open: () => connections.filter(({ destroyed }) => !destroyed).length,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const yes = (...headers: string[]) =>
  ['HTTP/1.1 200 OK', 'Content-Length: 0', ...headers, '', ''].join('\r\n')
const no = (...headers: string[]) =>
  ['HTTP/1.1 422 No', 'Content-Length: 2', ...headers, '', '{}'].join('\r\n')

describe.each(javaSenders)('%s', (_, start) => {
  test('keeps five connections of a host and uses the last used first', async () => {
    let waiting: Socket[] = []
    await using at = await handMade((socket, request) => {
      if (request > 8) return void socket.write(yes())
      waiting.push(socket)
      if (waiting.length < 8) return
      for (const one of waiting) one.write(yes())
      waiting = []
    })
    await using sender = await start(at.url)
    expect(await Promise.all(Array.from({ length: 8 }, () => sender.post({ body: '{}' })))).toEqual(
      Array.from({ length: 8 }, () => 200),
    )
    await expect.poll(at.open).toBe(5)
    for (let count = 0; count < 3; count++) await sender.post({ body: '{}' })
    expect(at.connections).toHaveLength(8)
    expect(new Set(at.requests.slice(8).map(({ connection }) => connection)).size).toBe(1)
  })

  test('loses one POST for each kept connection that was closed, and sends none of them again, where the reset takes 10 ms to come', async () => {
    let waiting: Socket[] = []
    await using at = await handMade((socket, request) => {
      if (request > 5) return void socket.write(yes())
      waiting.push(socket)
      if (waiting.length < 5) return
      for (const one of waiting) one.write(yes())
      waiting = []
    })
    await using network = await slowNetwork(at.url)
    await using sender = await start(network.url)
    await Promise.all(Array.from({ length: 5 }, () => sender.post({ body: '{}' })))
    await pause(100) // For the answers to be read and the connections to be kept.
    for (const socket of at.connections) socket.destroy()
    await pause(100)
    const outcomes = []
    for (let count = 0; count < 6; count++)
      outcomes.push(await sender.post({ body: '{}' }).catch(({ message }: Error) => message))
    expect(outcomes).toEqual([
      ...Array.from({ length: 5 }, () =>
        expect.stringMatching(/Unexpected end of file from server|Connection reset/),
      ),
      200,
    ])
    expect(at.requests).toHaveLength(6)
  })

  test('sends a POST again when the reset of a closed connection comes between its headers and its body', async () => {
    await using at = await handMade((socket) => void socket.write(yes()))
    await using sender = await start(at.url)
    await sender.post({ body: '{}' })
    await pause(100)
    for (const socket of at.connections) socket.destroy()
    await pause(100)
    expect(await sender.post({ body: '{}' })).toBe(200)
    expect(at.connections).toHaveLength(2)
  })

  test.each([
    [
      'as long as Keep-Alive says beside Connection: keep-alive',
      ['Connection: keep-alive', 'Keep-Alive: timeout=1'],
      2,
    ],
    ['longer where Keep-Alive stands alone', ['Keep-Alive: timeout=1'], 1],
    ['not after Connection: close', ['Connection: close'], 2],
  ])('keeps a connection %s', async (_name, headers, connections) => {
    await using at = await handMade((socket) => void socket.write(yes(...headers)))
    await using sender = await start(at.url)
    await sender.post({ body: '{}' })
    await pause(1300)
    await sender.post({ body: '{}' })
    expect(at.connections).toHaveLength(connections)
  })

  test('leaves the connection of an error body that nobody reads open, and does not use it again', async () => {
    await using at = await handMade((socket) => void socket.write(no()))
    await using sender = await start(at.url)
    for (let count = 0; count < 7; count++) expect(await sender.post({ body: '{}' })).toBe(422)
    expect(at.connections).toHaveLength(7)
    await pause(100)
    expect(at.open()).toBe(7)
  })

  test('writes a large body twice when the connection is reset while it writes, and reads no answer', async () => {
    await using at = await handMade((socket) => {
      socket.write(no('Connection: close'))
      socket.pause()
      setTimeout(() => socket.resetAndDestroy(), 50)
    }, false)
    await using sender = await start(at.url)
    await expect(sender.post({ body: Buffer.alloc(11_000_000, 'x') })).rejects.toThrow(
      'Error writing to server',
    )
    expect(at.connections).toHaveLength(2)
  })

  test('gives up an answer after 2 s', async () => {
    await using at = await handMade(() => {})
    await using sender = await start(at.url)
    const startedAt = performance.now()
    await expect(sender.post({ body: '{}' })).rejects.toThrow('Read timed out')
    expect(performance.now() - startedAt).toBeGreaterThan(1900)
    expect(at.requests).toHaveLength(1)
  })
})
