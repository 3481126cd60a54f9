import { expect, test } from 'vitest'
import { ownServer, query } from './server.ts'

test('the servers of these tests have the version that was asked for', async () => {
  await using server = await ownServer()
  const [row] = await query(server.url, `select current_setting('server_version_num')::int / 10000 as major`)
  expect(row).toEqual({ major: Number(process.env['FUSEWIRE_POSTGRES'] ?? 18) })
})
