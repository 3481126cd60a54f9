// Writes the verbs of docs/cli.md from the command's own help. With --check it writes nothing and exits 1 when the page is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { examplesOf } from '../src/cli/verb.ts'
import { exitCodes } from '../src/cli/failure.ts'
import { createProgram } from '../src/cli/program.ts'
import { markdownTable } from './markdown-table.ts'

const page = new URL('../docs/cli.md', import.meta.url)
const marker = '<!-- From here on written by scripts/cli-doc.ts. -->\n'

const program = await createProgram(() => true)
const present = readFileSync(page, 'utf8')
const [prose = ''] = present.split(marker)
const wanted = `${prose}${marker}\n${[codes(), overview(), ...program.commands.flatMap((verb) => sections(verb, ''))].join('\n\n')}\n`

if (process.argv.includes('--check')) {
  if (present !== wanted) {
    console.error('docs/cli.md is stale: run node scripts/cli-doc.ts')
    process.exitCode = 1
  }
} else {
  writeFileSync(page, wanted)
}

function codes(): string {
  return ['## Exit codes', markdownTable(['code', 'meaning'], Object.entries(exitCodes))].join('\n\n')
}

function overview(): string {
  const rows = program.commands.map((verb) => [
    `[\`${verb.name()}\`](#fusewire-${verb.name()})`,
    verb.summary(),
  ])
  return ['## Verbs', markdownTable(['verb', 'to'], rows)].join('\n\n')
}

function sections(command: CommandUnknownOpts, above: string): readonly string[] {
  const path = `${above}${command.name()}`
  const heading = `${above === '' ? '##' : '###'} fusewire ${path}`
  if (command.commands.length > 0) {
    return [heading, command.description(), ...command.commands.flatMap((verb) => sections(verb, `${path} `))]
  }
  return [
    heading,
    command.description(),
    ['```sh no-run', `fusewire ${path} ${command.usage()}`, '```'].join('\n'),
    markdownTable(['option', ''], [...argumentsOf(command), ...optionsOf(command)]),
    ['```sh no-run', ...examplesOf(command).map(([line, does]) => `${line}  # ${does}`), '```'].join('\n'),
  ]
}

function argumentsOf(command: CommandUnknownOpts): readonly (readonly string[])[] {
  return command.registeredArguments.map((one) => [
    `\`${one.required ? `<${one.name()}>` : `[${one.name()}]`}\``,
    one.description,
  ])
}

function optionsOf(command: CommandUnknownOpts): readonly (readonly string[])[] {
  const own = command.options.filter(({ long }) => long !== '--json' && long !== '--debug')
  return own.map(({ flags, description, defaultValue, envVar, argChoices }) => {
    const more = [
      argChoices === undefined ? [] : `one of ${argChoices.join(', ')}`,
      defaultValue === undefined ? [] : `default: ${String(defaultValue)}`,
      envVar ?? [],
    ].flat()
    return [`\`${flags}\``, [description, ...(more.length > 0 ? [`(${more.join('; ')})`] : [])].join(' ')]
  })
}
