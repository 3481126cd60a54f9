import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

type Done = (error: NodeJS.ErrnoException | null) => void

/** What syncs files outside of the main thread, in a test's hands. */
export interface Disk extends Disposable {
  /** Syncs that were begun. */
  syncs: number
  /** Lets none end until it is `released`. */
  hold(): void
  /** Those that wait, and all later ones, end; with this error, if one is given. */
  release(error?: Error): void
}

/** Takes `fdatasync` from everybody in this process until it is disposed of. */
export function takeDisk(): Disk {
  const { fdatasync } = fs
  const held: (() => void)[] = []
  let holding = false
  let failure: Error | undefined

  function replaced(fd: number, done: Done): void {
    disk.syncs += 1
    const end = (): void => (failure === undefined ? fdatasync(fd, done) : done(failure))
    if (holding) held.push(end)
    else end()
  }

  function install(one: typeof fs.fdatasync): void {
    fs.fdatasync = one
    syncBuiltinESMExports()
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
      install(fdatasync)
    },
  }
  install(replaced as typeof fs.fdatasync) // Without its promisified twin, which nobody here uses.
  return disk
}
