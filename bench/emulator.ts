import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Benchmark, figure, type Subject } from './lib/benchmark.ts'
import { startServer } from './lib/server.ts'

/** Start-up as published, and events through the whole event system to receivers over real sockets: gates, posts, answers, log. */
export const benchmark: Benchmark = {
  title: 'The emulator: start-up, and events to one and to ten receivers',
  rounds: 10,
  ms: 2000,
  subjects: [starting(), { ...posting(1), compared: true }, { ...posting(10), compared: true }],
  targets: [
    { name: 'listening, ms after process start', value: figure('ms to listen', 'start'), atMost: 300 },
    { name: 'events/s to one receiver', value: figure('events/s', '1 receiver'), atLeast: 3000 },
  ],
}

function starting(): Subject {
  return {
    name: 'start',
    open({ build }) {
      const program = join(build.folder, 'dist', 'cli', 'main.js')
      return {
        async measure() {
          const startedAt = performance.now()
          const child = spawn(process.execPath, [program, 'emulate', '--port', '0'], {
            stdio: ['ignore', 'pipe', 'inherit'],
          })
          await once(child.stdout, 'data')
          const took = performance.now() - startedAt
          const exited = once(child, 'exit')
          child.kill()
          await exited
          return { 'ms to listen': took }
        },
      }
    },
  }
}

/** The emulator in one process, its receivers in another; the harness only asks for events. */
function posting(receivers: number): Subject {
  return {
    name: receivers === 1 ? '1 receiver' : `${receivers} receivers`,
    async open({ ms, build }) {
      const receiver = await startServer(new URL('emulator/receiver.ts', import.meta.url), [], build)
      const sender = await startServer(
        new URL('emulator/sender.ts', import.meta.url),
        [String(receivers), String(receiver.port)],
        build,
      )
      return {
        async measure() {
          const before = await sender.usage()
          const response = await fetch(`http://127.0.0.1:${sender.port}/?ms=${ms}`)
          const { events, seconds } = (await response.json()) as { events: number; seconds: number } // As sender.ts answers.
          const after = await sender.usage()
          return {
            'events/s': events / seconds,
            'posts/s': (events * receivers) / seconds,
            'CPU µs/event': ((after.cpuMs - before.cpuMs) / events) * 1000,
            'resident MB': after.rssBytes / 1e6,
          }
        },
        async close() {
          await sender.close()
          await receiver.close()
        },
      }
    },
  }
}
