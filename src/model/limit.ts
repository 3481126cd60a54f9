/** Whose turn it is as a store fills up: the last fifth is kept for what a person waits for. */
export function hasRoom(bytes: number, maxBytes: number, transactional: boolean): boolean {
  return bytes < (transactional ? maxBytes : 0.8 * maxBytes)
}

/** From here on the oldest settled events go before their time. */
export function pressFrom(maxBytes: number): number {
  return 0.75 * maxBytes
}
