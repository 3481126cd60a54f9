import { Command, CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { type ExitCode, exitCodes, failureOf, misused } from './failure.ts'
import { note } from './print.ts'
import { styled, text } from './text.ts'
import { verbs } from './verbs.ts'
import { version } from './version.ts'

/** The whole command. It loads the code only of verbs for which `isCalled` is true. */
export async function createProgram(isCalled: (verb: string) => boolean): Promise<CommandUnknownOpts> {
  const program = new Command('fusewire')
    .description("Receives FusionAuth's events, keeps them, and helps you see what became of them.")
    .usage('<verb> [options]')
    .version(version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show this')
    .helpCommand('help [verb]', 'show the help of a verb')
    .addHelpText('after', `\n${manners()}`)
  for (const verb of verbs) {
    const command = isCalled(verb.name) ? await verb.load() : new Command(verb.name)
    program.addCommand(command.summary(verb.summary))
  }
  return program
}

/** Runs the command line and returns the exit code. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  const [first, second] = args.filter((word) => !word.startsWith('-'))
  const program = await createProgram((verb) => verb === (first === 'help' ? second : first))
  quiet(program)
  try {
    if (first === 'help' && second !== undefined && !verbs.some(({ name }) => name === second))
      throw misused(text`There is no verb ${second}. fusewire --help lists them.`)
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return ended(error)
    const failure = failureOf(error)
    note(text`${styled('red', 'error:')} ${failure.told}`)
    if (args.includes('--debug')) noteStack(failure.cause ?? failure)
    return failure.exitCode
  }
}

/** Makes commander throw errors instead of exiting, and print through `print`. */
function quiet(command: CommandUnknownOpts): void {
  command.configureOutput({ outputError: () => {} }).exitOverride((error) => {
    throw Object.assign(error, { command })
  })
  for (const each of command.commands) quiet(each)
}

function ended({
  code,
  exitCode,
  message,
  command,
}: CommanderError & { command?: CommandUnknownOpts }): ExitCode {
  if (exitCode === 0) return 0
  if (code === 'commander.help') return 2
  // The message may quote a value, which may come from the environment.
  const lines = message
    .replace(/^error: /, '')
    .replaceAll(/:\/\/\S*@/g, '://hidden@')
    .split('\n')
  const helps = code === 'commander.unknownCommand' ? 'lists the verbs' : 'says more'
  note(text`${styled('red', 'error:')} ${sentence(lines.join(' '))} ${nameOf(command)} --help ${helps}.`)
  return 2
}

function sentence(words: string): string {
  return /[.?!)]$/.test(words) ? words : `${words}.`
}

/** The verb's name with those above it, such as `inbox list`. */
function nameOf(command: CommandUnknownOpts | undefined): string {
  if (command === undefined) return 'fusewire'
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
}

/** An error with all its causes. */
function noteStack(error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  for (const line of stack.split('\n')) note(styled('dim', line))
  if (error instanceof Error && error.cause !== undefined) noteStack(error.cause)
}

function manners(): string {
  const codes = Object.entries(exitCodes).map(([code, means]) => `  ${code.padEnd(3)}  ${means}`)
  return [
    'Every verb has --help with examples, --json for programs, and --debug for the stack of an error.',
    'A secret is given as env:NAME, file:PATH or - (standard input), never as itself.',
    '',
    'Exit codes:',
    ...codes,
  ].join('\n')
}
