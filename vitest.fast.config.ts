import { mergeConfig } from 'vitest/config'
import everything from './vitest.config.ts'

/** `npm run test:fast`: what needs no process, database server or disk of its own, in less than a minute. */
export default mergeConfig(everything, {
  test: {
    globalSetup: [],
    include: [
      'test/{receive,deliver,events,inbox,lib,telemetry,testing}/*.test.ts',
      'test/engines/memory.test.ts',
    ],
  },
})
