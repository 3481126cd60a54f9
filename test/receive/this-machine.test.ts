import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Webhook } from 'fusewire'
import { request } from 'fusewire/testing'
import { userDelete } from '../support/door.ts'
import { keptLog } from '../support/log.ts'
import { listen, raw, statuses } from '../support/raw.ts'
import { freePort } from '../support/free-port.ts'

/** What the open door answers to a request with these first lines. */
async function told(
  lines: readonly string[],
  localHosts: readonly string[] = [],
): Promise<number | undefined> {
  await using webhook = new Webhook({ authenticate: 'none', localHosts, inbox: 'none', log: keptLog() })
  await using server = await listen(webhook)
  await using sender = await raw(server.port)
  const body = userDelete()
  const headers = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]
  sender.write([...lines, ...headers, '', body].join('\r\n'))
  await expect.poll(() => sender.received()).toMatch(/HTTP/)
  return statuses(sender.received())[0]
}

describe("authenticate: 'none' over a socket", () => {
  test.each([
    [200, 'localhost'],
    [200, 'LocalHost:3000'],
    [200, '127.0.0.1'],
    [200, '127.8.9.10:80'],
    [200, '[::1]:3000'],
    [401, 'hooks.example.com'],
    [401, 'localhost.example.com'],
    [401, '127.0.0.1.example.com'],
    [401, '127.example.com'],
    [401, '10.0.0.1:3000'],
    [401, 'host.docker.internal:3000'],
    [401, 'a@localhost'],
    [401, 'localhost:'],
  ])('%i for Host: %s', async (status, host) => {
    expect(await told(['POST / HTTP/1.1', `Host: ${host}`])).toBe(status)
  })

  test('lets in a Host that was named', async () => {
    const lines = ['POST / HTTP/1.1', 'Host: Host.Docker.Internal:3000']
    expect(await told(lines, ['host.docker.internal'])).toBe(200)
  })

  test('refuses HTTP/1.0, as proxies speak it', async () => {
    expect(await told(['POST / HTTP/1.0', 'Host: localhost'])).toBe(401)
    expect(await told(['POST / HTTP/1.0'])).toBe(401)
  })
})

test("authenticate: 'none' over webhook.receive goes by the name in the URL", async () => {
  await using webhook = new Webhook({ authenticate: 'none', inbox: 'none', log: keptLog() })
  const from = { remoteAddress: '127.0.0.1' }
  const asked = async (url: string) =>
    (await webhook.receive(request('user.delete', {}, { url }), from)).status
  expect(await asked('http://localhost:3000/hook')).toBe(200)
  expect(await asked('https://hooks.example.com/hook')).toBe(401)
})

const folder = mkdtempSync(join(tmpdir(), 'fusewire-proxy-'))
afterAll(() => rmSync(folder, { recursive: true }))

const has = (program: string) => spawnSync(program, ['-v']).error === undefined

/** nginx and haproxy as somebody sets them up who says no more than they must. */
const proxies = {
  nginx(port: number, to: number): readonly string[] {
    const file = join(folder, 'nginx.conf')
    writeFileSync(
      file,
      `daemon off; pid ${folder}/nginx.pid; error_log stderr;
      events {}
      http {
        access_log off;
        client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
        uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${to}; } }
      }`,
    )
    return ['-c', file, '-p', folder]
  },
  haproxy(port: number, to: number): readonly string[] {
    const file = join(folder, 'haproxy.cfg')
    writeFileSync(
      file,
      `defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend public
  bind 127.0.0.1:${port}
  default_backend receiver
backend receiver
  server one 127.0.0.1:${to}
`,
    )
    return ['-f', file, '-db']
  },
}

describe.each(Object.entries(proxies))('%s on this machine', (program, argumentsFor) => {
  const there = has(program)
  if (!there) console.warn(`${program} is not installed: authenticate: 'none' is not tested behind it`)

  test.skipIf(!there)("with its default settings does not pass authenticate: 'none'", async () => {
    const log = keptLog()
    await using webhook = new Webhook({ authenticate: 'none', inbox: 'none', log })
    await using server = await listen(webhook)
    const port = await freePort()
    await using proxy = await started(program, argumentsFor(port, server.port), port)
    void proxy
    expect(await post(port, 'hooks.example.com')).toBe(401)
    expect(log.text()).toContain("authenticate: 'none' lets in")
  })
})

async function started(program: string, args: readonly string[], port: number): Promise<AsyncDisposable> {
  const child: ChildProcess = spawn(program, args, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  await expect.poll(() => accepts(port), { timeout: 10_000 }).toBe(true)
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** As somebody on the internet, who reaches the proxy by its public name. */
function post(port: number, host: string): Promise<number | undefined> {
  const body = userDelete()
  const headers = { host, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port, method: 'POST', headers, agent: false },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    )
    sent.on('error', reject).end(body)
  })
}
