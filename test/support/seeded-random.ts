/**
 * Random numbers that a seed repeats. The seed is printed, so that a failure can be run again: set it in the environment variable SEED.
 */
export function seededRandom(): { int(below: number): number; bytes(length: number): Uint8Array } {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32))
  console.log(`SEED=${String(seed)}`)
  let state = seed >>> 0
  /** A linear congruential generator: its upper bits are random enough to choose between cases. */
  function int(below: number): number {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return { int, bytes: (length) => Uint8Array.from({ length }, () => int(256)) }
}
