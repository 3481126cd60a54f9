#!/usr/bin/env node

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `error: Fusewire needs Node 22.18 or later; this is ${process.versions.node}. In a clone of it, npx node takes the one installed there.\n`,
  )
  process.exit(2)
}
// Hides node's warnings about node:sqlite, type stripping and modules that do not load: the command prints an error of its own for those.
process.removeAllListeners('warning').on('warning', ({ name, message }) => {
  if (name === 'ExperimentalWarning' || message.startsWith('Failed to load the ES module')) return
  process.stderr.write(`${name}: ${message}\n`)
})
// The reader has closed the pipe, as `head` does.
process.stdout.on('error', (error) => process.exit('code' in error && error.code === 'EPIPE' ? 0 : 70))

// Imported here, because an older node cannot load it.
const { run } = await import('./program.ts')
process.exitCode = await run(process.argv.slice(2))
