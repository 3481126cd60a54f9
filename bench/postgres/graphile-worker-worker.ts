import { Logger, run } from 'graphile-worker'
import { handling, work } from './worker-program.ts'

const [, , database, ms, settings] = process.argv
const atOnce = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }

// As it comes, or with its settings for throughput: jobs are taken 500 at a time and ended in batches.
work((handled) =>
  run({
    connectionString: database ?? '',
    maxPoolSize: 16,
    concurrency: 16,
    preset: { worker: settings === 'at once' ? atOnce : {} },
    logger: new Logger(() => () => {}),
    taskList: {
      async event() {
        await handling(Number(ms))
        handled()
      },
    },
  }),
)
