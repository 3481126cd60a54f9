import type { Engine, Settlement } from '../model/engine.ts'

/** What a batch left behind: nothing, or what to settle again when the inbox answers, and why it could not be settled now. */
export interface Unsettled {
  readonly left: readonly Settlement[]
  readonly error?: unknown
}

/**
 * Settles a batch. An engine settles all of it or rejects and changes nothing; when it rejects although the inbox takes other writes, the
 * halves are settled each by itself, so that one settlement that cannot be stored blocks no other.
 *
 * @param replace What to store instead of a settlement that cannot be stored by itself; undefined gives it up.
 */
export async function settleBatch(
  engine: Engine,
  batch: readonly Settlement[],
  replace: (settlement: Settlement, error: unknown) => Settlement | undefined,
): Promise<Unsettled> {
  try {
    await engine.settle(batch)
    return { left: [] }
  } catch (error) {
    if (!(await takesWrites(engine))) return { left: batch, error }
    const [only] = batch
    if (batch.length === 1 && only !== undefined) {
      const other = replace(only, error)
      return other === undefined ? { left: [] } : settleBatch(engine, [other], replace)
    }
    const middle = Math.ceil(batch.length / 2)
    const first = await settleBatch(engine, batch.slice(0, middle), replace)
    if (first.left.length > 0) return { ...first, left: [...first.left, ...batch.slice(middle)] }
    return settleBatch(engine, batch.slice(middle), replace)
  }
}

/** When the inbox is down, halving the batch would only ask it more often. */
function takesWrites(engine: Engine): Promise<boolean> {
  return engine.probe().then(
    () => true,
    () => false,
  )
}
