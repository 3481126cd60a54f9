import { existsSync, statSync } from 'node:fs'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { isObject, type JsonObject } from '../lib/json-object.ts'
import { codeOf } from '../lib/code-of.ts'
import { misused } from './failure.ts'
import { importFile } from './import-file.ts'
import { type SettingName, settings } from './settings.ts'
import { text } from './text.ts'

const names = ['fusewire.config.ts', 'fusewire.config.mts', 'fusewire.config.js', 'fusewire.config.mjs']

/**
 * The config file of this project: beside package.json in the folder the command runs in, never in one above it, because whoever owns
 * that one is somebody else.
 */
export function findConfigFile(): string | undefined {
  return existsSync('package.json') ? names.find((name) => existsSync(name)) : undefined
}

/** Runs a config file and puts what it sets below what flags and the environment say. It is code, so it must be its user's own. */
export async function applyConfigFile(command: CommandUnknownOpts, file: string): Promise<void> {
  const given = await load(file)
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!isSetting(name))
      throw misused(text`${file} sets ${name}, which is no setting; fusewire config lists them.`)
    const source = command.getOptionValueSource(name)
    if (source === 'cli' || source === 'env') continue
    command.setOptionValueWithSource(name, parsed(name, value, file), 'config')
  }
}

async function load(file: string): Promise<JsonObject> {
  checkOwner(file)
  const { default: exported } = await importFile(file)
  if (isObject(exported)) return exported
  throw misused(text`${file} must export its settings: export default { port: 3000 }.`)
}

/** Refuses a file that another user can write: that user could run code as this one. root can anyway. */
function checkOwner(file: string): void {
  try {
    const { uid, mode } = statSync(file)
    const mine = process.getuid === undefined || uid === process.getuid() || uid === 0
    if (!mine)
      throw misused(
        text`${file} belongs to another user, and is not run. Make it yours, or give a copy with --config.`,
      )
    if (process.getuid !== undefined && (mode & 0o022) !== 0) {
      throw misused(text`${file} can be written by others, and is not run. chmod go-w makes it yours alone.`)
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw misused(text`${file} does not exist.`, { cause: error })
    throw error
  }
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(settings, name)
}

/** Parses a value as its flag would. `true` switches on a flag without a value. */
function parsed(name: SettingName, value: unknown, file: string): unknown {
  const { flag, ...setting } = settings[name]
  const takesValue = flag.includes('<')
  if (!takesValue) {
    if (typeof value === 'boolean') return value
    throw misused(text`${file}: ${name} must be true or false.`)
  }
  const written: unknown[] = Array.isArray(value) ? value : [value]
  if (!written.every((one) => typeof one === 'string' || typeof one === 'number')) {
    throw misused(text`${file}: ${name} must be a text or a number.`)
  }
  try {
    const parse =
      'parse' in setting ? (setting.parse as (one: string, before: unknown) => unknown) : undefined
    return written.reduce<unknown>((before, one) => parse?.(String(one), before) ?? String(one), undefined)
  } catch (error) {
    throw misused(text`${file}: ${name} is wrong. ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    })
  }
}
