import { makeWorkerUtils } from 'graphile-worker'
import { listen } from '../lib/program.ts'
import { answering } from './body.ts'

const utils = await makeWorkerUtils({ connectionString: process.argv[2] ?? '', maxPoolSize: 16 })
await utils.migrate()
listen(answering((event) => utils.addJob('event', event)))
