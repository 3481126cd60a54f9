import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { verb } from '../command.ts'
import { filterable, filterOf } from '../inbox/filters.ts'
import { follow } from '../inbox/follow.ts'
import { fate } from '../inbox/tell.ts'
import { endOf, whereable } from '../inbox/where.ts'
import { note, print, printJson } from '../terminal.ts'
import { padded, styled, text } from '../text.ts'
import { untilStopped } from '../until-stopped.ts'

export function tailVerb(): CommandUnknownOpts {
  const command = verb(
    'tail',
    'Shows events as they come, and again when what became of them changes, until Ctrl+C.',
    [
      ['fusewire tail', 'of inbox.db here'],
      ['fusewire tail --type user.login.failed --since 1h', 'failed sign-ins, from an hour ago on'],
      [
        'fusewire tail --state dead --server https://fusewire.example.com --token env:ADMIN_TOKEN',
        'what a running server gives up',
      ],
      ['fusewire tail --json | jq -r .type', 'for programs'],
    ],
  )
  return filterable(whereable(command)).action(async ({ json, ...given }, self) => {
    await using end = await endOf(given, (name) => self.getOptionValueSource(name))
    const controller = new AbortController()
    void untilStopped().then(() => controller.abort())
    if (json !== true) note(styled('dim', text`Following ${end.shown}. Ctrl+C ends it.`))
    for await (const item of follow(end, filterOf(given), controller.signal)) {
      if (json === true) printJson(item)
      else {
        const time = styled('dim', new Date(item.receivedAt).toTimeString().slice(0, 8))
        print(text`${time} ${padded(fate(item), 12)} ${item.type} ${item.id}`)
      }
    }
  })
}
