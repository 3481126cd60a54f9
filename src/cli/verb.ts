import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings'

/** The flags of every verb. */
export type Common = {
  /** Print JSON. */
  json?: true
  /** Print the stack of an error. */
  debug?: true
}

/** A line to type, and what it does. */
export type Example = readonly [line: string, does: string]

/** A verb with what every verb has: `--json`, `--debug`, and examples at the end of its help. */
export function verb(name: string, about: string, examples: readonly Example[]): Command<[], Common> {
  const command = new Command(name)
    .description(about)
    .helpOption('-h, --help', 'show this')
    .addHelpText('after', `\nExamples:\n${examples.map(shown).join('\n')}`)
    .option('--json', 'print JSON: a line for each thing, for programs')
    .option('--debug', 'tell the stack of an error')
  examplesByVerb.set(command, examples)
  return command
}

const examplesByVerb = new WeakMap<object, readonly Example[]>()

/** The examples of a verb, for docs/cli.md. */
export function examplesOf(command: CommandUnknownOpts): readonly Example[] {
  return examplesByVerb.get(command) ?? []
}

function shown([line, does]: Example): string {
  return `  ${line}\n      ${does}`
}

/** A verb in the list of verbs. `load` imports its code. */
export interface Verb {
  readonly name: string
  readonly summary: string
  load(): Promise<CommandUnknownOpts>
}
