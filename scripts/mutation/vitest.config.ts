import everything from '../../vitest.config.ts'

/** The tests that must notice a change in src/receive, src/deliver or src/model, without those that start processes of their own. */
export default {
  ...everything,
  test: {
    ...everything.test,
    globalSetup: [],
    include: ['test/{receive,deliver,inbox}/*.test.ts', 'test/engines/{memory,sqlite}.test.ts'],
    exclude: ['test/deliver/{crashes,full-inbox}.test.ts', 'test/receive/{opening,this-machine}.test.ts'],
  },
}
