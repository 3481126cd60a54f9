import { existsSync, openSync, readSync, statSync } from 'node:fs'
import { prepareYieldCpu } from '../tend/yield-cpu.ts'

const chunkBytes = 4 * 1024 * 1024

/**
 * Whether the database file or its WAL contains one of these texts. SQLite may leave a copy of a row that moved to another page in the
 * unused space of the old page, and `secure_delete` overwrites only the row itself: in a test that happened in about one erasure of ten
 * before ids were hashed. So an erasure searches the files.
 */
export function filesContain(path: string, texts: readonly string[]): boolean {
  const needles = texts.filter((text) => text !== '').map((text) => Buffer.from(text))
  return [path, `${path}-wal`].some((file) => existsSync(file) && fileContains(openOnce(file), needles))
}

/** Descriptors are never closed: a process that closes any descriptor of a database loses its locks (sqlite.org/howtocorrupt.html, 2.2). */
const descriptors = new Map<string, number>()

function openOnce(file: string): number {
  const { dev, ino } = statSync(file)
  const identity = `${dev}:${ino}`
  const descriptor = descriptors.get(identity) ?? openSync(file, 'r')
  descriptors.set(identity, descriptor)
  return descriptor
}

function fileContains(descriptor: number, needles: readonly Buffer[]): boolean {
  const overlap = Math.max(0, ...needles.map(({ length }) => length - 1))
  const buffer = Buffer.alloc(chunkBytes)
  const yieldCpu = prepareYieldCpu()
  for (let at = 0; ; at += chunkBytes - overlap) {
    const chunk = buffer.subarray(0, readSync(descriptor, buffer, 0, chunkBytes, at))
    if (needles.some((needle) => chunk.includes(needle))) return true
    if (chunk.length < chunkBytes) return false
    yieldCpu()
  }
}
