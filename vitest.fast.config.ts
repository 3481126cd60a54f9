import everything from './vitest.config.ts'

/** `npm run test:fast`: what needs no process, database server or disk of its own, in less than a minute. */
export default {
  ...everything,
  test: {
    ...everything.test,
    globalSetup: [],
    include: [
      'test/{receive,deliver,events,inbox,lib,telemetry,testing}/*.test.ts',
      'test/engines/memory.test.ts',
    ],
    exclude: ['test/deliver/{crashes,full-inbox}.test.ts', 'test/receive/{opening,this-machine}.test.ts'],
    maxWorkers: '100%',
  },
}
