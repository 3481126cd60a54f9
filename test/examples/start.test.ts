import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-start-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('npm start tells the story, and the commands it prints do what it says', async () => {
  const env = {
    ...process.env,
    PORT: String(await freePort()),
    FUSIONAUTH_PORT: String(await freePort()),
    TODO_DB: join(folder, 'todo.db'),
  }
  const npm = async (script: string) => {
    const child = spawn('npm', ['run', '--silent', script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const [text] = await Promise.all([textOf(child), once(child, 'exit')])
    return text
  }

  const story = spawn('npm', ['start'], { env, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  try {
    const told = await untilSaid(story, 'Or be FusionAuth yourself')
    expect(told).toContain('npm run delete-ada')

    const ada = await npm('delete-ada')
    expect(ada).toMatch(/→ 200/)
    expect(ada).toMatch(/todos: 3 → 0/)

    await npm('break-db')
    const refused = await npm('delete-bob')
    expect(refused).toMatch(/→ 504 .*WebhookTransactionException/)
    expect(refused).toMatch(/still there[^]*todos: 2 → 2/)

    await npm('mend-db')
    expect(await npm('delete-bob')).toMatch(/→ 200[^]*gone[^]*todos: 2 → 0/)
  } finally {
    const gone = once(story, 'exit')
    if (story.pid !== undefined) process.kill(-story.pid, 'SIGTERM')
    await gone
  }
  // npm goes first; what it started says goodbye in its own time.
  await expect.poll(() => readdirSync(folder).filter((name) => name.includes('session'))).toEqual([])
}, 60_000)

async function textOf(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) text += chunk
  return text
}

async function untilSaid(child: ChildProcess, words: string): Promise<string> {
  let text = ''
  for await (const [chunk] of child.stdout === null ? [] : on(child.stdout)) {
    text += chunk
    if (text.includes(words)) return text
  }
  throw new Error(`it ended without saying ${words}: ${text}`)
}

async function* on(stream: NodeJS.ReadableStream): AsyncGenerator<[string]> {
  for (;;) {
    const [chunk] = await Promise.race([once(stream, 'data'), once(stream, 'end').then(() => [])])
    if (chunk === undefined) return
    yield [String(chunk)]
  }
}
