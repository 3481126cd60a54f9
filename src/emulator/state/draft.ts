import { keysOf, type Table, type View } from './table.ts'

/** Rows a transaction may change; nobody else sees the changes before the commit. */
export interface Rows<Row> extends View<Row> {
  put(row: Row): void
  remove(id: string): void
}

/** Thrown by a write to what another open transaction has written. Wait until it ends, then start over. */
export class Busy {
  readonly until: Promise<void>

  constructor(until: Promise<void>) {
    this.until = until
  }
}

/** A claim on a row or on an index key, taken for as long as the transaction is open. */
export type Claim = (what: string) => void

/** A transaction's own changes laid over a table. Commit applies them; a rollback has nothing to do but forget them. */
export class Overlay<Row extends { readonly id: string }> implements Rows<Row> {
  readonly #base: Table<Row>
  readonly #claim: Claim
  readonly #changes = new Map<string, Row | undefined>()

  constructor(base: Table<Row>, claim: Claim) {
    this.#base = base
    this.#claim = claim
  }

  get(id: string): Row | undefined {
    return this.#changes.has(id) ? this.#changes.get(id) : this.#base.get(id)
  }

  all(): Row[] {
    return [...this.#untouched(this.#base.all()), ...this.#written()]
  }

  by(index: string, key: string): Row[] {
    const keys = this.#base.indexes[index]
    const mine = this.#written().filter((row) => keys?.(row).includes(key))
    return [...this.#untouched(this.#base.by(index, key)), ...mine]
  }

  /** Claims the row and its index keys: two open transactions cannot both create the same email. */
  put(row: Row): void {
    this.#claim(row.id)
    for (const key of keysOf(this.#base.indexes, row)) {
      if (key.startsWith('unique')) this.#claim(key)
    }
    this.#changes.set(row.id, row)
  }

  remove(id: string): void {
    this.#claim(id)
    this.#changes.set(id, undefined)
  }

  commit(): void {
    for (const [id, row] of this.#changes) {
      if (row === undefined) this.#base.remove(id)
      else this.#base.put(row)
    }
  }

  #untouched(rows: readonly Row[]): Row[] {
    return this.#changes.size === 0 ? [...rows] : rows.filter((row) => !this.#changes.has(row.id))
  }

  #written(): Row[] {
    return [...this.#changes.values()].filter((row) => row !== undefined)
  }
}
