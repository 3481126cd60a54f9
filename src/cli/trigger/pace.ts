import { setTimeout as sleep } from 'node:timers/promises'

/** Without a rate, sends one after the other. With a rate, sends on time even if earlier requests are unanswered. */
export async function pace(
  count: number,
  rate: number | undefined,
  once: () => Promise<void>,
): Promise<void> {
  if (rate === undefined) {
    for (let index = 0; index < count; index++) await once()
    return
  }
  const begun = performance.now()
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  for (let index = 0; index < count && failures.length === 0; index++) {
    const early = begun + (index * 1000) / rate - performance.now()
    if (early > 0) await sleep(early)
    if (underWay.size >= atATime) await Promise.race(underWay)
    const sending = once()
      .catch((error: unknown) => void failures.push(error))
      .finally(() => underWay.delete(sending))
    underWay.add(sending)
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
}

/** The most requests at a time: more would measure this process, not the receiver. */
const atATime = 256
