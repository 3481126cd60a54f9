import { setTimeout as sleep } from 'node:timers/promises'
import type { Inbox } from '../../src/index.ts'

/** The users who are erased, again and again. */
export const erasedUsers: readonly string[] = Array.from({ length: 40 }, (_, n) => `erased-${n}`)

/** Replays and erases side by side, then also prunes, for as long as the process lives. */
export async function tendUnderLoad(inbox: Inbox): Promise<void> {
  void forEver(() => inbox.replay({ handler: 'plain' }))
  void forEver(async () => {
    for (const userId of erasedUsers) await inbox.erase({ userId })
  })
  await sleep(2_000)
  void forEver(() => inbox.prune({ before: new Date() }))
}

/** A locked or full inbox may refuse: then it is asked again. */
async function forEver(tend: () => Promise<unknown>): Promise<void> {
  for (;;) {
    await tend().catch(() => {})
    await sleep(20)
  }
}
