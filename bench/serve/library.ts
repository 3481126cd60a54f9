import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as Sqlite from '../../src/engines/sqlite/index.ts'
import type * as Node from '../../src/http/node.ts'
import type * as Fusewire from '../../src/index.ts'
import { newFile } from '../inbox/file.ts'
import { secret } from '../inbox/key.ts'
import { tellPort } from '../lib/program.ts'

/** What somebody writes who serves the package alone. The folder of the built package is the argument. */
const built = (path: string) => import(pathToFileURL(join(process.argv[2] ?? '', 'dist', path)).href)
const { Webhook, signature }: typeof Fusewire = await built('index.js')
const { serve }: typeof Node = await built('http/node.js')
const { sqlite }: typeof Sqlite = await built('engines/sqlite/index.js')

const inbox = sqlite(newFile(), { allowVolatile: true })
const webhook = new Webhook({ authenticate: signature({ secret }), inbox })
const { url } = await serve(webhook, { port: 0, hostname: '127.0.0.1' })
tellPort(Number(new URL(url).port))
