import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { verb } from '../verb.ts'
import { applyConfigFile, findConfigFile } from '../config-file.ts'
import { redact } from '../redact.ts'
import {
  type Origin,
  originOf,
  addSettingOptions,
  settingsOf,
  strayVariables,
  variableOf,
} from '../add-setting-options.ts'
import { receiver, type Setting, type SettingName, settings, type Settings } from '../settings.ts'
import { note, printJson, printTable } from '../print.ts'
import { styled, text } from '../text.ts'

export function configVerb(): CommandUnknownOpts {
  const command = verb(
    'config',
    'Shows the settings that serve and dev would run with, and where each comes from: a flag, the environment, the config file or the default. Secrets stay hidden.',
    [
      ['fusewire config', 'what the environment and the defaults make of it'],
      ['fusewire config --config fusewire.config.ts', 'with the config file, which is run to find out'],
      ['FUSEWIRE_PORT=8080 fusewire config --json', 'for programs'],
    ],
  ).option('--config <file>', 'the config file; only when it is named here is it run')
  return addSettingOptions(command, receiver).action(async ({ json, config }, self) => {
    if (config !== undefined) await applyConfigFile(self, config)
    const values = settingsOf(self, receiver)
    const rows = receiver.map((name) => rowOf(name, values[name], originOf(self, name)))
    for (const name of strayVariables(process.env)) {
      note(text`${styled('yellow', 'warning:')} ${name} is set, and is no setting.`)
    }
    if (json === true) return rows.forEach((row) => printJson({ ...row, variable: variableOf(row.name) }))
    printTable([
      ['SETTING', 'VALUE', 'FROM', 'VARIABLE'].map((name) => styled('bold', name)),
      ...rows.map(({ name, value, from }) => [name, value ?? '', from, variableOf(name)]),
    ])
    const here = config === undefined ? findConfigFile() : undefined
    if (here !== undefined) {
      note(text`${here} was not run: it is code. fusewire config --config ${here} shows what it sets.`)
    }
  })
}

function rowOf(
  name: SettingName,
  value: Settings[SettingName],
  from: Origin,
): { name: SettingName; value?: string; from: Origin } {
  const { otherwise }: Setting = settings[name]
  if (from === 'unset' && otherwise !== undefined) return { name, value: otherwise, from: 'default' }
  const told = shown(value)
  return { name, ...(told !== undefined && { value: told }), from }
}

function shown(value: Settings[keyof Settings]): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'object') return 'shown' in value ? value.shown : value.join(', ')
  return redact(String(value))
}
