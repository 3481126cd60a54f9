import { breakTodos, mendTodos } from './todos.ts'
import { database, readSession } from './session.ts'

/* npm run break-db, npm run mend-db */

readSession() // Of the example that runs: without it there is no database yet.
if (process.argv[2] === 'mend') {
  mendTodos(database)
  console.log('The Todo database deletes again.')
} else {
  breakTodos(database)
  console.log('The Todo database refuses to delete.')
}
