import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { verb } from '../../command.ts'
import { misused } from '../../failure.ts'
import { filterable, filterOf } from '../../inbox/filters.ts'
import { endOf, whereable } from '../../inbox/where.ts'
import { interruptible } from '../../interruptible.ts'
import { amount } from '../../counted.ts'
import { progress } from '../../progress.ts'
import { print, printJson } from '../../terminal.ts'
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
  return filterable(whereable(command)).action(async ({ json, id, ...given }, self) => {
    const where = { ...filterOf(given), ...(id !== undefined && { id }) }
    if (Object.keys(where).length === 0)
      throw misused(text`Say which events are meant: --handler, --state, --type, --user, --id or --since.`)
    await using end = await endOf(given, (name) => self.getOptionValueSource(name))
    using bar = progress('replaying')
    const replayed = await interruptible((signal, at) =>
      end.replay(where, { signal, onProgress: ({ done }) => (bar.at(done), at(done)) }),
    )
    if (json === true) printJson(replayed)
    else
      print(
        text`${amount(replayed.deliveries, 'delivery', 'deliveries')} of ${end.shown} made pending again.`,
      )
  })
}
