import { setTimeout as sleep } from 'node:timers/promises'
import { RetryLater } from '../../src/index.ts'

/** What a handler throws that is hard to store or to read, by name. Each event asks for one of them in its user's data. */
const thrown: Readonly<Record<string, () => unknown>> = {
  'a retry in 3e12 years': () => new RetryLater({ afterMs: 1e23 }),
  'a retry after NaN': () => new RetryLater({ afterMs: NaN }),
  'a look-alike without a time': () => ({ code: 'FW_RETRY_LATER', when: null }),
  'a code that is a number': () => Object.freeze({ code: 7n, message: 7n }),
  'a stack that is a list': () => Object.assign(new Error('listed'), { stack: ['one', 'two'] }),
  'a message that throws': () =>
    Object.defineProperty(new Error('hidden'), 'message', {
      get() {
        throw new Error('nobody reads this')
      },
    }),
  'half a character and a zero byte': () => new Error('\ud800\0'),
  undefined: () => undefined,
  'a symbol': () => Symbol('thrown'),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
}

export const troubles: readonly string[] = Object.keys(thrown)

/** Waits for so long that whoever waits for it is at an end: its delivery may still wait then. */
export const postponing = 'a retry in 3e12 years'

/** Kills the process, in every attempt. */
export const killing = 'kills its process'

/**
 * A handler's work with trouble: kills its process for one event, throws at the first attempt of others, and is slow for some of the rest, so
 * that they run while the process dies.
 */
export async function workWithTrouble(id: string, trouble: unknown, attempt: number): Promise<void> {
  if (trouble === killing) {
    await sleep(100)
    process.kill(process.pid, 'SIGKILL')
    await sleep(1_000)
  }
  const making = typeof trouble === 'string' ? thrown[trouble] : undefined
  if (making !== undefined && attempt === 1) throw making()
  if (id.startsWith('0')) await sleep(400)
}
