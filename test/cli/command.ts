import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import { printable } from '../../src/lib/printable.ts'

/** The command as it is published. */
const program: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Running {
  readonly child: ChildProcess
  /** What it has printed on stdout so far. */
  out(): string
  err(): string
  /** Waits for words on either stream. Rejects when it ends without them. */
  says(words: string | RegExp): Promise<string>
  readonly ended: Promise<Ended>
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string | Uint8Array
}

/** Starts the command as a process of its own. */
export function start(args: readonly string[], around: Surroundings = {}): Running {
  return watch(spawn(process.execPath, [program, ...args], options(around)), around.input)
}

/** Whether there is the `script` of util-linux, which gives a program a terminal. */
export const hasTerminal: boolean = (spawnSync('script', ['--version']).stdout ?? '')
  .toString()
  .includes('util-linux')

/** Starts it in a real terminal, where stdout and stderr are one. */
export function startInTerminal(args: readonly string[], around: Surroundings = {}): Running {
  const line = [process.execPath, program, ...args]
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(' ')
  return watch(
    spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], options(around)),
    around.input,
  )
}

/** Runs the command to its end. */
export function run(args: readonly string[], around?: Surroundings): Promise<Ended> {
  return start(args, { input: '', ...around }).ended
}

/** Whether every line holds only what a terminal shows. */
export function harmless(output: string): boolean {
  return output.split('\n').every((line) => printable(line, Infinity) === line)
}

function options({ env, cwd }: Surroundings) {
  // What the machine that runs the tests has set must not colour or configure anything.
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(FUSEWIRE_|NO_COLOR|FORCE_COLOR|NODE_OPTIONS|CI)/.test(name),
  )
  return { env: { ...Object.fromEntries(own), TERM: 'xterm', ...env }, ...(cwd !== undefined && { cwd }) }
}

/** What a failed test has left running. */
const alive = new Set<ChildProcess>()
afterEach(() => {
  for (const child of alive) child.kill('SIGKILL')
})

function watch(child: ChildProcess, input: string | Uint8Array | undefined): Running {
  alive.add(child)
  child.once('exit', () => alive.delete(child))
  let [out, err] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
  if (input !== undefined) child.stdin?.on('error', () => {}).end(input)
  const ended = once(child, 'close').then(([code]): Ended => ({ code, out, err }))
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    says(words) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const said = out + err
          if (typeof words === 'string' ? said.includes(words) : words.test(said)) resolve(said)
        }
        child.stdout?.on('data', look)
        child.stderr?.on('data', look)
        look()
        void ended.then(() => reject(new Error(`it ended without saying ${words}: ${out}${err}`)))
      })
    },
  }
}
