import { once } from 'node:events'
import { expect, test } from 'vitest'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { clientOf } from '../emulator/client.ts'
import { run, start } from './command.ts'

test('prints its URL and key, answers, and stops by signal', async () => {
  const running = start(['emulate', '--port', '0', '--api-key', 'env:MY_KEY'], { env: { MY_KEY: 'my-key' } })
  const url = /http:\S+/.exec(await running.says('Ctrl+C'))?.[0] ?? ''
  expect(running.out()).toContain('my-key')
  expect((await clientOf({ url, apiKey: 'my-key' } as Emulator).retrieveTenants()).statusCode).toBe(200)
  running.child.kill('SIGTERM')
  expect(await running.ended).toMatchObject({ code: 0, err: '' })
})

test('takes a key on its command line, and warns', async () => {
  const running = start(['emulate', '--port', '0', '--api-key', 'my-key', '--json'])
  await running.says('"jwks"')
  expect(running.err()).toContain('warning: an API key on a command line can be read')
  expect(JSON.parse(running.out())).toMatchObject({ apiKey: 'my-key' })
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(0)
})

test('says in a sentence why it cannot start', async () => {
  await using fusionauth = await emulate()
  const { port } = new URL(fusionauth.url)
  for (const [options, code, reason] of [
    [['--port', port], 3, 'another program listens there. --port says another.'],
    [['--port', 'nine'], 2, 'whole number from 0 to 65535'],
    [['--compatibility', '2'], 2, '--compatibility'],
    [['--kickstart', '/nowhere.json'], 2, '/nowhere.json does not exist'],
    [['--kickstart', '/'], 2, '/ is a folder'],
    [['--api-key', 'env:NOT_SET'], 2, 'the environment variable NOT_SET is not set'],
    [['too', 'many'], 2, 'too many arguments'],
  ] as const) {
    const { code: ended, out, err } = await run(['emulate', ...options])
    expect({ ended, out }).toEqual({ ended: code, out: '' })
    expect(err).toContain(reason)
    expect(err.trim().split('\n')).toHaveLength(1)
  }
})

test('a kickstart file reads no secret of the environment that nobody named', async () => {
  const kickstart = JSON.stringify({
    requests: [
      {
        method: 'POST',
        url: '/api/user',
        body: { user: { email: '#{ENV.SECRET}@example.com', password: 'password' } },
      },
    ],
  })
  const args = ['emulate', '--port', '0', '--kickstart', '-']
  const refused = await run(args, { input: kickstart, env: { SECRET: 'hunter2' } })
  expect(refused).toMatchObject({ code: 2, out: '' })
  expect(refused.err).toContain('SECRET')
  expect(refused.err).not.toContain('hunter2')

  const allowed = start([...args, '--env', 'SECRET'], { input: kickstart, env: { SECRET: 'hunter2' } })
  await allowed.says('Ctrl+C')
  allowed.child.kill()
  await once(allowed.child, 'exit')
})
