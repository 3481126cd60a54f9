import { type Command, type CommandUnknownOpts, Option, type OptionValues } from '@commander-js/extra-typings'
import { misused } from './failure.ts'
import { asSecret } from './secret.ts'
import { receiver, type Setting, type SettingName, settings, type Settings } from './settings.ts'
import { text } from './text.ts'
import { several } from './option-parsers.ts'

/** Where a value came from. */
export type Origin = 'flag' | 'environment' | 'config file' | 'default' | 'unset'

/** Adds the flags and variables of these settings to a verb. */
export function addSettingOptions<Args extends unknown[], Opts extends OptionValues>(
  command: Command<Args, Opts>,
  names: readonly SettingName[],
): Command<Args, Opts> {
  for (const name of names) command.addOption(optionOf(name))
  return command
}

function optionOf(name: SettingName): Option {
  const { flag, about, parse, usual, otherwise }: Setting = settings[name]
  const described = otherwise === undefined ? about : `${about} (default: ${otherwise})`
  const option = new Option(flag, described).env(variableOf(name))
  // Commander passes the values so far to the parser of a repeated option; the other parsers ignore them.
  if (parse !== undefined) option.argParser(parse as (written: string, before: unknown) => unknown)
  return usual === undefined ? option : option.default(usual)
}

/** The environment variable of a setting: FUSEWIRE_API_KEY for apiKey. */
export function variableOf(name: SettingName): string {
  return `FUSEWIRE_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** Variables that only trigger, tail and inbox read. */
const ofOtherVerbs = ['FUSEWIRE_URL', 'FUSEWIRE_SERVER', 'FUSEWIRE_TOKEN']

/** Variables that begin with FUSEWIRE_ and that no setting reads: probably misspelt. */
export function strayVariables(env: NodeJS.ProcessEnv): readonly string[] {
  const ours = new Set([...receiver.map(variableOf), ...ofOtherVerbs])
  return Object.keys(env).filter((name) => name.startsWith('FUSEWIRE_') && !ours.has(name))
}

/** The values of these settings, from flags, environment, config file and defaults. */
export function settingsOf<Name extends SettingName>(
  command: CommandUnknownOpts,
  names: readonly Name[],
): Settings<Name> {
  const values = names.map((name) => [name, valueOf(command, name)])
  return Object.fromEntries(values) as Settings<Name> // Commander parsed each by its own `parse`.
}

function valueOf(command: CommandUnknownOpts, name: SettingName): unknown {
  const value: unknown = command.getOptionValue(name)
  const { flag, parse, secret }: Setting = settings[name]
  const origin = originOf(command, name)
  if (origin === 'environment' && parse === several) return listIn(variableOf(name))
  if (origin === 'environment' && !flag.includes('<')) return switchIn(variableOf(name))
  if (secret === undefined || typeof value !== 'string') return value
  return asSecret(value, flag.split(' ', 1)[0] ?? '', origin === 'flag')
}

/** A flag can be repeated; a variable holds several values separated by commas or spaces. */
function listIn(variable: string): readonly string[] | undefined {
  const list = (process.env[variable] ?? '').split(/[\s,]+/).filter((one) => one !== '')
  return list.length > 0 ? list : undefined
}

/** Commander takes any value of a variable as true, `false` too. */
function switchIn(variable: string): boolean {
  switch (process.env[variable]?.toLowerCase()) {
    case 'true':
    case '1':
      return true
    case 'false':
    case '0':
    case '':
      return false
    default:
      throw misused(text`${variable} must be true or false.`)
  }
}

export function originOf(command: CommandUnknownOpts, name: SettingName): Origin {
  switch (command.getOptionValueSource(name)) {
    case 'cli':
      return 'flag'
    case 'env':
      return 'environment'
    case 'config':
      return 'config file'
    case 'default':
      return 'default'
    default:
      return 'unset'
  }
}
