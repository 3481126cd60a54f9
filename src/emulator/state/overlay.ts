import { keysOf, type Table, type ReadableRows } from './table.ts'

/** Rows that a transaction may change. Others see the changes after the commit. */
export interface WritableRows<Row> extends ReadableRows<Row> {
  put(row: Row): void
  remove(id: string): void
}

/** Thrown by a write to a row that another open transaction has written. Wait until that one ends, then start again. */
export class RowLocked {
  readonly until: Promise<void>

  constructor(until: Promise<void>) {
    this.until = until
  }
}

/** Locks a row or an index key until the transaction ends. */
export type Lock = (what: string) => void

/** A table with the uncommitted changes of one transaction. A commit applies them to the table; a rollback discards them. */
export class Overlay<Row extends { readonly id: string }> implements WritableRows<Row> {
  readonly #base: Table<Row>
  readonly #lock: Lock
  readonly #changes = new Map<string, Row | undefined>()

  constructor(base: Table<Row>, lock: Lock) {
    this.#base = base
    this.#lock = lock
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

  /** Locks the row and its unique keys: two open transactions cannot both create the same email. */
  put(row: Row): void {
    this.#lock(row.id)
    for (const key of keysOf(this.#base.indexes, row)) {
      if (key.startsWith('unique')) this.#lock(key)
    }
    this.#changes.set(row.id, row)
  }

  remove(id: string): void {
    this.#lock(id)
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
