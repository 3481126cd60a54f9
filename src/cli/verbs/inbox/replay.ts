import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { verb } from '../../verb.ts'
import { misused } from '../../failure.ts'
import { addFilterOptions, filterOf } from '../../inbox/filter-options.ts'
import { openInbox, addInboxOptions } from '../../inbox/open-inbox.ts'
import { interruptible } from '../../interruptible.ts'
import { formatAmount } from '../../format-count.ts'
import { progress } from '../../progress.ts'
import { print, printJson } from '../../print.ts'
import { text } from '../../text.ts'

export function replayVerb(): CommandUnknownOpts {
  const command = verb(
    'replay',
    'Makes handlers run again: every delivery that has ended and fits, oldest event first. inbox list with the same filters shows which events are meant.',
    [
      ['fusewire inbox replay --state dead --handler crm', 'what crm gave up'],
      ['fusewire inbox replay --id 2f6c1b0e-7a3d-4c55-9f21-0c4f0d1e8a77', 'one event, for all its handlers'],
      [
        'fusewire inbox replay --handler new-one --since 7d',
        'a week of events for a handler that was added today, once its code has started',
      ],
    ],
  ).option('--id <id>', 'the event with this id')
  return addFilterOptions(addInboxOptions(command)).action(async ({ json, id, ...given }, self) => {
    const where = { ...filterOf(given), ...(id !== undefined && { id }) }
    if (Object.keys(where).length === 0)
      throw misused(text`Say which events are meant: --handler, --state, --type, --user, --id or --since.`)
    await using inbox = await openInbox(given, (name) => self.getOptionValueSource(name))
    using bar = progress('replaying')
    const replayed = await interruptible((signal, at) =>
      inbox.replay(where, { signal, onProgress: ({ done }) => (bar.at(done), at(done)) }),
    )
    if (json === true) printJson(replayed)
    else
      print(
        text`${formatAmount(replayed.deliveries, 'delivery', 'deliveries')} of ${inbox.shown} made pending again.`,
      )
  })
}
