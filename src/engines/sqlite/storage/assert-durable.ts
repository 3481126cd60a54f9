import { statfsSync } from 'node:fs'
import { FusewireError } from '../../../model/errors.ts'

/**
 * Throws when this folder is on a file system that loses its files (memory, a container's layer) or that several hosts share. Linux only:
 * on other systems `statfs` does not tell the kind.
 */
export function assertDurable(folder: string): void {
  if (process.platform !== 'linux') return
  const why = volatileKindOf(statfsSync(folder).type)
  if (why === undefined) return
  throw new FusewireError(
    'FW_DISK_NOT_DURABLE',
    `${folder} is on ${why}: an event acknowledged there can be lost. Put the inbox on a local disk or a mounted volume. ` +
      'Where losing it is fine (tests, a preview), use sqlite(file, { allowVolatile: true }).',
  )
}

/** Why a file system of this `statfs` type is not durable; undefined for all other types. */
function volatileKindOf(type: number): string | undefined {
  // The magic numbers of linux/magic.h and statfs(2). Node gives those above 2^31 as negative numbers.
  return kinds.get(type >>> 0)
}

const network = 'a network file system, where SQLite cannot lock or sync reliably'

const kinds: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs, which is memory'],
  [0x858458f6, 'ramfs, which is memory'],
  [0x794c7630, "a container's own layer (overlay), which goes with the container"],
  [0x61756673, "a container's own layer (aufs), which goes with the container"],
  [0x6969, network], // nfs
  [0x517b, network], // smb
  [0xff534d42, network], // cifs
  [0xfe534d42, network], // smb2
  [0x01021997, network], // 9p
  [0x00c36400, network], // ceph
  [0x5346414f, network], // afs
  [0x0bd00bd0, network], // lustre
])
