import type { DiskThread } from '../../src/engines/sqlite/storage/disk-thread.ts'

/** The syncs of inboxes on SQLite, in a test's hands. */
export interface Disk extends Disposable {
  /** Syncs that were begun. */
  syncs: number
  /** Lets none end until it is `released`. */
  hold(): void
  /** Those that wait, and all later ones, end; with this error, if one is given. */
  release(error?: Error): void
}

let taken: ((sync: () => Promise<void>) => Promise<void>) | undefined

/** A thread whose syncs a test may take. For `vi.mock` of disk-thread.ts. */
export function inTestsHands(thread: DiskThread | undefined): DiskThread | undefined {
  return (
    thread && {
      ...thread,
      isReady: () => true, // So that no sync goes to node's pool.
      sync: (descriptor) => (taken ?? ((sync) => sync()))(() => thread.sync(descriptor)),
    }
  )
}

/** Takes the syncs of all inboxes in this process until it is disposed of. */
export function takeDisk(): Disk {
  const held: (() => void)[] = []
  let holding = false
  let failure: Error | undefined

  taken = async (sync) => {
    disk.syncs += 1
    if (holding) await new Promise<void>((resolve) => held.push(resolve))
    if (failure !== undefined) throw failure
    await sync()
  }

  const disk: Disk = {
    syncs: 0,
    hold() {
      holding = true
    },
    release(error) {
      failure = error
      holding = false
      for (const end of held.splice(0)) end()
    },
    [Symbol.dispose]() {
      disk.release()
      taken = undefined
    },
  }
  return disk
}
