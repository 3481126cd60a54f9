import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own, which can be filled. */
export interface SmallDisk extends Disposable {
  readonly folder: string
  /** Leaves this much room. */
  fill(leaveBytes: number): void
  empty(): void
}

/** Mounts ext4 from a file. Gives a text, why not, where that is not allowed: it needs root and a loop device. */
export function smallDisk(megabytes: number): SmallDisk | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'mounting a small file system needs root on Linux'
  const outside = mkdtempSync(join(tmpdir(), 'fusewire-disk-'))
  const [image, folder] = [join(outside, 'image'), join(outside, 'mounted')]
  const filler = join(folder, 'filler')
  try {
    mkdirSync(folder)
    execFileSync('truncate', ['-s', `${megabytes}M`, image], { stdio: 'pipe' })
    execFileSync('mkfs.ext4', ['-q', '-m', '0', image], { stdio: 'pipe' })
    execFileSync('mount', ['-o', 'loop', image, folder], { stdio: 'pipe' })
  } catch (error) {
    rmSync(outside, { recursive: true, force: true })
    return `a small file system could not be mounted: ${String(error)}`
  }
  return {
    folder,
    fill(leaveBytes) {
      const { bavail, bsize } = statfsSync(folder)
      const chunk = Buffer.alloc(64 * 1024, 1)
      const file = openSync(filler, 'a')
      try {
        for (let left = bavail * bsize - leaveBytes; left > 0; left -= chunk.length) {
          writeSync(file, chunk, 0, Math.min(left, chunk.length))
        }
      } catch {
        // ENOSPC: it is as full as can be.
      }
      closeSync(file)
    },
    empty: () => rmSync(filler, { force: true }),
    [Symbol.dispose]() {
      execFileSync('umount', [folder])
      rmSync(outside, { recursive: true, force: true })
    },
  }
}
