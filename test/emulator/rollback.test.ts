import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emulate, type Emulator, type Level } from '../../src/emulator/index.ts'
import { catalogue, isEventType } from '../../src/events/catalogue.ts'
import { clientOf } from './client.ts'

/*
 * Whatever is done and whoever refuses: what was rolled back leaves no trace, and what was committed fired exactly its events, each before
 * or after the commit as its type demands.
 */

const ids = ['1', '2', '3'].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`)
const applicationId = '00000000-0000-4000-8000-0000000000a1'
const groupId = '00000000-0000-4000-8000-0000000000b1'

interface Operation {
  readonly name: string
  readonly call: (id: string) => readonly [method: string, path: string, body?: object]
  readonly transactional: readonly string[]
  readonly after: readonly string[]
}

const operations: readonly Operation[] = [
  {
    name: 'create',
    call: (id) => ['POST', `/api/user/${id}`, { user: { email: `${id}@example.com` } }],
    transactional: ['user.create'],
    after: ['user.create.complete'],
  },
  {
    name: 'create and register',
    call: (id) => [
      'POST',
      '/api/user/registration',
      { user: { username: id }, registration: { applicationId } },
    ],
    transactional: ['user.create', 'user.registration.create'],
    after: ['user.create.complete', 'user.registration.create.complete'],
  },
  {
    name: 'change the email',
    call: (id) => [
      'PATCH',
      `/api/user/${id}`,
      { user: { email: `${crypto.randomUUID()}@example.org`, password: 'correct horse' } },
    ],
    transactional: ['user.update'],
    after: ['user.update.complete', 'user.email.update', 'user.password.update'],
  },
  {
    name: 'join',
    call: (id) => ['POST', '/api/group/member', { members: { [groupId]: [{ userId: id }] } }],
    transactional: ['group.member.add'],
    after: ['group.member.add.complete'],
  },
  {
    name: 'deactivate',
    call: (id) => ['DELETE', `/api/user/${id}`],
    transactional: ['user.deactivate'],
    after: [],
  },
  {
    name: 'delete',
    call: (id) => ['DELETE', `/api/user/${id}?hardDelete=true`],
    transactional: ['user.delete'],
    after: ['user.delete.complete'],
  },
]

/** Everything that can be read of what the operations touch. */
async function state(fusionauth: Emulator): Promise<string> {
  const client = clientOf(fusionauth)
  const search = { numberOfResults: 100 }
  const read = await Promise.all([
    client.searchUsersByQuery({ search: { ...search, queryString: '*' } }),
    client.searchGroupMembers({ search }),
    client.retrieveGroups(),
    client.retrieveApplications(),
  ])
  return JSON.stringify(read.map(({ response }) => response))
}

test('rolled back is as if it had never been; committed fires exactly its events', async () => {
  await using fusionauth = await emulate()
  const refusing = new Set<string>()
  let heard: string[] = []
  const receiver = {
    async fetch(request: Request) {
      const { event } = (await request.json()) as { event: { type: string } }
      heard.push(event.type)
      return new Response(null, { status: refusing.has(event.type) ? 500 : 200 })
    },
  }
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${fusionauth.url}${path}`, {
      method,
      headers: { authorization: fusionauth.apiKey, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    await response.arrayBuffer()
    await fusionauth.idle()
    return response.status
  }

  const level = fc.constantFrom<Level>('None', 'Any', 'SimpleMajority', 'SuperMajority', 'AbsoluteMajority')
  const types = [...new Set(operations.flatMap(({ transactional }) => transactional))]
  const step = fc.record({
    operation: fc.constantFrom(...operations),
    id: fc.constantFrom(...ids),
    level,
    refused: fc.subarray(types),
  })

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      await fusionauth.reset()
      await fusionauth.connect(receiver)
      await call('POST', `/api/application/${applicationId}`, { application: { name: 'Todo' } })
      await call('POST', `/api/group/${groupId}`, { group: { name: 'Engineers' } })

      for (const { operation, id, level: chosen, refused } of steps) {
        for (const type of types) if (isEventType(type)) fusionauth.level(type, chosen)
        refusing.clear()
        for (const type of refused) refusing.add(type)
        heard = []
        const before = await state(fusionauth)

        const status = await call(...operation.call(id))

        const first = operation.transactional.findIndex((type) => refusing.has(type))
        const all = [...operation.transactional, ...operation.after]
        const untilRefused = operation.transactional.slice(0, first + 1)
        const allowed = [
          chosen === 'None' || first === -1
            ? { status: 200, heard: all }
            : { status: 504, heard: untilRefused },
          // Members who are in the group already join without an event: there is nothing to refuse.
          ...(operation.name === 'join' ? [{ status: 200, heard: [] }] : []),
          // A login id or an id that is taken, a user that does not exist.
          { status: 400, heard },
          { status: 404, heard },
        ]
        expect(allowed).toContainEqual({ status, heard })
        expect(status === 200 || (await state(fusionauth)) === before).toBe(true)
        expect(operation.after.filter((type) => isEventType(type) && catalogue[type].transactional)).toEqual(
          [],
        )
      }
    }),
    { numRuns: 60 },
  )
}, 60_000)
