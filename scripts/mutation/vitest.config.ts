import { mergeConfig } from 'vitest/config'
import everything from '../../vitest.config.ts'

/** The tests that a change in src/receive, src/deliver or src/model must be noticed by, without those that start processes of their own. */
export default mergeConfig(everything, {
  test: {
    globalSetup: [],
    include: ['test/{receive,deliver,inbox}/*.test.ts', 'test/engines/{memory,sqlite}.test.ts'],
  },
})
