import { PgBoss } from 'pg-boss'
import { listen } from '../lib/program.ts'
import { answering } from './body.ts'

const boss = new PgBoss({ connectionString: process.argv[2] ?? '', max: 16 })
boss.on('error', (error) => console.error(error))
await boss.start()
await boss.createQueue('events')
listen(answering((event) => boss.send('events', event)))
