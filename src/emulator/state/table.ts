/** Reads committed rows, and those that the reader's own transaction has written. Rows are never changed, only replaced. */
export interface ReadableRows<Row> {
  get(id: string): Row | undefined
  all(): Row[]
  /** The rows that have this key in an index of the table. */
  by(index: string, key: string): Row[]
}

/** By index, the keys of a row. */
export type Indexes<Row> = { readonly [index: string]: (row: Row) => readonly string[] }

/** The committed rows of one kind, in order of creation. */
export class Table<Row extends { readonly id: string }> implements ReadableRows<Row> {
  readonly indexes: Indexes<Row>
  readonly #rows = new Map<string, Row>()
  readonly #ids = new Map<string, Set<string>>()

  constructor(indexes: Indexes<Row> = {}) {
    this.indexes = indexes
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id)
  }

  all(): Row[] {
    return [...this.#rows.values()]
  }

  by(index: string, key: string): Row[] {
    const ids = this.#ids.get(`${index} ${key}`) ?? []
    return [...ids].flatMap((id) => this.#rows.get(id) ?? [])
  }

  put(row: Row): void {
    this.#forget(row.id)
    this.#rows.set(row.id, row)
    for (const key of keysOf(this.indexes, row)) {
      const ids = this.#ids.get(key) ?? new Set()
      this.#ids.set(key, ids.add(row.id))
    }
  }

  remove(id: string): void {
    this.#forget(id)
    this.#rows.delete(id)
  }

  #forget(id: string): void {
    const row = this.#rows.get(id)
    if (row === undefined) return
    for (const key of keysOf(this.indexes, row)) {
      const ids = this.#ids.get(key)
      ids?.delete(id)
      if (ids?.size === 0) this.#ids.delete(key)
    }
  }
}

/** Every `index key` of a row. */
export function keysOf<Row>(indexes: Indexes<Row>, row: Row): string[] {
  return Object.entries(indexes).flatMap(([index, keys]) => keys(row).map((key) => `${index} ${key}`))
}
