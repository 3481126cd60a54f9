const megabyte = 1024 * 1024

/**
 * How large the WAL of an inbox of at most `maxBytes` may become, in bytes. A checkpoint does not shrink the WAL: SQLite overwrites it
 * from its beginning. Bytes beyond this limit are there because the WAL could not be checkpointed, and count towards the inbox's size.
 */
export function walLimit(maxBytes: number): number {
  return Math.min(64 * megabyte, Math.max(8 * megabyte, Math.floor(maxBytes / 4)))
}
