import { fdatasyncSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { TaskResult, Task } from './disk-thread.ts'

/* The thread of disk-thread.ts. It sleeps in Atomics.wait instead of an event loop: waking it costs half of a message event. */

const { wakeups, tasks }: { wakeups: Int32Array; tasks: MessagePort } = workerData
/** How long a truncating checkpoint waits for readers to finish. */
const busyMs = 100

let connection: { readonly path: string; readonly db: DatabaseSync } | undefined

function connectionTo(path: string): DatabaseSync {
  if (connection?.path !== path) {
    closeConnection()
    const db = new DatabaseSync(path, { timeout: busyMs })
    connection = { path, db }
    db.prepare('select count(*) from sqlite_schema').get() // SQLite opens the WAL at the first read.
  }
  return connection.db
}

function closeConnection(): void {
  const closing = connection
  connection = undefined
  closing?.db.close()
}

/** After an error, so that the next checkpoint opens the file again. */
function forgetConnection(): void {
  try {
    closeConnection()
  } catch {
    // The first error is the one to report.
  }
}

function run(task: Task): unknown {
  switch (task[0]) {
    case 'sync':
      return fdatasyncSync(task[1])
    case 'open':
      connectionTo(task[1])
      return undefined
    case 'checkpoint':
      return connectionTo(task[1]).prepare(`pragma wal_checkpoint(${task[2]})`).get()
    case 'close connection':
    case 'end':
      return closeConnection()
  }
}

function runTask(task: Task): TaskResult {
  try {
    return { value: run(task) }
  } catch (error) {
    if (task[0] !== 'sync') forgetConnection()
    const thrown = error instanceof Error ? error : new Error(String(error))
    return { error: thrown, properties: Object.fromEntries(Object.entries(thrown)) }
  }
}

function serve(): void {
  for (let seen = 0; ; seen = (seen + 1) | 0) {
    Atomics.wait(wakeups, 0, seen)
    const received: { message: Task } | undefined = receiveMessageOnPort(tasks)
    if (received === undefined) continue
    parentPort?.postMessage(runTask(received.message))
    if (received.message[0] === 'end') return
  }
}

serve()
