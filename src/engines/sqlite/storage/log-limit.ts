const megabyte = 1024 * 1024

/**
 * How large the write-ahead log may become beside an inbox of at most `maxBytes`. A log is not made smaller by each checkpoint but written
 * again from its beginning; what lies beyond this limit is there because the log could not be moved, and counts as the inbox's size.
 */
export function logLimit(maxBytes: number): number {
  return Math.min(64 * megabyte, Math.max(8 * megabyte, Math.floor(maxBytes / 4)))
}
