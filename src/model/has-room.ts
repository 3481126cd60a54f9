/** Whether an event is accepted at this size of the store. Above 80% of maxBytes only transactional events are. */
export function hasRoom(bytes: number, maxBytes: number, transactional: boolean): boolean {
  return bytes < (transactional ? maxBytes : 0.8 * maxBytes)
}

/** The size in bytes from which on the oldest settled events are pruned before their retention ends. */
export function pressureLimit(maxBytes: number): number {
  return 0.75 * maxBytes
}
