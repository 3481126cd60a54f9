import { defineConfig } from 'vitest/config'

const source = (path: string) => new URL(`./src/${path}`, import.meta.url).pathname

export default defineConfig({
  resolve: {
    // Tests speak to the package by its public names, answered by the source.
    alias: [
      { find: /^fusewire$/, replacement: source('index.ts') },
      { find: /^fusewire\/node$/, replacement: source('http/node.ts') },
      { find: /^fusewire\/fastify$/, replacement: source('http/fastify.ts') },
      { find: /^fusewire\/aws-lambda$/, replacement: source('http/aws-lambda.ts') },
      { find: /^fusewire\/sqlite$/, replacement: source('engines/sqlite/index.ts') },
      { find: /^fusewire\/postgres$/, replacement: source('engines/postgres/index.ts') },
      { find: /^fusewire\/emulator$/, replacement: source('emulator/index.ts') },
      { find: /^fusewire\/server$/, replacement: source('server/index.ts') },
      { find: /^fusewire\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
  test: {
    globalSetup: ['test/support/install-extras.ts', 'scripts/built.ts'],
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    expect: { poll: { timeout: 10_000 } }, // A second attempt comes after up to a second by itself, and later on a busy machine.
    hookTimeout: 60_000, // A PostgreSQL of its own takes a busy machine ten seconds and more to make.
  },
})
