import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { verb } from '../verb.ts'
import { addFilterOptions, filterOf } from '../inbox/filter-options.ts'
import { follow } from '../inbox/follow.ts'
import { eventState } from '../inbox/event-state.ts'
import { openInbox, addInboxOptions } from '../inbox/open-inbox.ts'
import { note, print, printJson } from '../print.ts'
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
  return addFilterOptions(addInboxOptions(command)).action(async ({ json, ...given }, self) => {
    await using inbox = await openInbox(given, (name) => self.getOptionValueSource(name))
    const controller = new AbortController()
    void untilStopped().then(() => controller.abort())
    if (json !== true) note(styled('dim', text`Following ${inbox.shown}. Ctrl+C ends it.`))
    for await (const item of follow(inbox, filterOf(given), controller.signal)) {
      if (json === true) printJson(item)
      else {
        const time = styled('dim', new Date(item.receivedAt).toTimeString().slice(0, 8))
        print(text`${time} ${padded(eventState(item), 12)} ${item.type} ${item.id}`)
      }
    }
  })
}
