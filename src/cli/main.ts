#!/usr/bin/env node
import { run } from './program.ts'

// node:sqlite and type stripping are experimental to node; whoever runs the command need not be told each time.
process.removeAllListeners('warning').on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`)
})
// Whoever reads has read enough, as `head` does.
process.stdout.on('error', (error) => process.exit('code' in error && error.code === 'EPIPE' ? 0 : 70))

process.exitCode = await run(process.argv.slice(2))
