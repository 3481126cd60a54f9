import everything from './vitest.config.ts'

/** A folder's smallest share of lines and branches that these tests run. */
const floor = (lines: number, branches: number) => ({ lines, branches })

/**
 * `npm run test:fast`: what needs no process, database server or disk of its own. `npm run test:coverage` measures by these tests alone, because
 * what processes of their own run is not counted.
 */
export default {
  ...everything,
  test: {
    ...everything.test,
    globalSetup: [],
    include: [
      'test/{receive,deliver,events,inbox,lib,telemetry,testing}/*.test.ts',
      'test/engines/memory.test.ts',
    ],
    exclude: [
      'test/deliver/{clock,crashes,full-inbox}.test.ts',
      'test/receive/{inbox-trouble,opening,outage,this-machine}.test.ts',
    ],
    maxWorkers: '100%',
    coverage: {
      include: ['src/{receive,deliver,model,inbox,webhook,events,lib}/**'],
      reporter: ['text-summary', 'html'],
      reportsDirectory: '.reports/coverage',
      thresholds: {
        'src/receive/**': floor(91, 86),
        'src/deliver/**': floor(92, 83),
        'src/model/**': floor(92, 87),
        'src/inbox/**': floor(97, 81),
        'src/webhook/**': floor(88, 84),
        'src/events/**': floor(97, 95),
        'src/lib/**': floor(83, 79),
      },
    },
  },
}
