import { fusionAuth } from './fusionauth.ts'
import { ada, bob, type Person } from './people.ts'
import { readSession } from './session.ts'

/* npm run delete-ada, npm run delete-bob: what an administrator's click does, and what became of it. */

const person: Person = process.argv[2] === 'bob' ? bob : ada
const { fusionauthUrl, apiKey, todoUrl } = readSession()
const fusionauth = fusionAuth(fusionauthUrl, apiKey)

async function count(): Promise<number> {
  const todos = await fetch(`${todoUrl}/todos?userId=${person.id}`)
  return ((await todos.json()) as unknown[]).length // The route answers an array.
}

const before = await count()
const path = `/api/user/${person.id}?hardDelete=true`
const { status, body } = await fusionauth.call('DELETE', path)
const { status: found } = await fusionauth.call('GET', `/api/user/${person.id}`)

console.log(`DELETE ${path} → ${status}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`)
console.log(`${person.name} in FusionAuth: ${found === 200 ? 'still there' : 'gone'}`)
console.log(`${person.name}'s todos: ${before} → ${await count()}`)
