import { DatabaseSync } from 'node:sqlite'

export interface Todo {
  readonly id: number
  readonly userId: string
  readonly title: string
}

/** The Todo application's own database. */
export interface Todos {
  add(userId: string, title: string): Todo
  of(userId: string): Todo[]
  /** All or nothing: when the signal has aborted by the end, nothing is deleted and it throws. */
  deleteAll(userId: string, options: { signal: AbortSignal }): number
  close(): void
}

export function openTodos(file: string): Todos {
  const db = new DatabaseSync(file)
  db.exec(
    'create table if not exists todos (id integer primary key, userId text not null, title text not null)',
  )
  const insert = db.prepare('insert into todos (userId, title) values (?, ?) returning id')
  const select = db.prepare('select id, userId, title from todos where userId = ? order by id')
  const remove = db.prepare('delete from todos where userId = ?')

  return {
    add(userId, title) {
      const { id } = insert.get(userId, title) as { id: number } // What the statement returns.
      return { id, userId, title }
    },
    of: (userId) => select.all(userId) as unknown as Todo[], // The columns it selects.
    deleteAll(userId, { signal }) {
      db.exec('begin immediate')
      try {
        const { changes } = remove.run(userId)
        signal.throwIfAborted()
        db.exec('commit')
        return Number(changes)
      } catch (error) {
        if (db.isTransaction) db.exec('rollback')
        throw error
      }
    },
    close: () => db.close(),
  }
}

/** Makes the database refuse every delete, as a full disk or a lost connection would. */
export function breakTodos(file: string): void {
  using db = new DatabaseSync(file)
  db.exec(`
    create trigger if not exists broken before delete on todos
    begin select raise(abort, 'the Todo database is broken'); end
  `)
}

export function mendTodos(file: string): void {
  using db = new DatabaseSync(file)
  db.exec('drop trigger if exists broken')
}
