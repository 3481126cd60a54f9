import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import { confirm } from '../../confirm.ts'
import { verb } from '../../verb.ts'
import { misused } from '../../failure.ts'
import { parseInstant } from '../../inbox/filter-options.ts'
import { formatInstant } from '../../format-instant.ts'
import { openInbox, addInboxOptions } from '../../inbox/open-inbox.ts'
import { interruptible } from '../../interruptible.ts'
import { formatAmount } from '../../format-count.ts'
import { progress } from '../../progress.ts'
import { note, print, printJson } from '../../print.ts'
import { text } from '../../text.ts'

export function pruneVerb(): CommandUnknownOpts {
  const command = verb(
    'prune',
    'Takes away events that have ended and were received before an instant, whatever the retention says. What waits for a handler stays.',
    [
      ['fusewire inbox prune --before 30d', 'all that is older than 30 days'],
      ['fusewire inbox prune --before 2026-01-31 --dead --yes', 'dead letters too, without being asked'],
    ],
  )
    .addOption(
      new Option(
        '--before <time>',
        'received before then: 2026-01-31, 2026-01-31T12:00:00Z, or 90s, 15m, 12h, 7d ago',
      ).argParser(parseInstant),
    )
    .option('--dead', 'dead letters, too')
    .option('--yes', 'without asking')
  return addInboxOptions(command).action(async ({ json, before, dead, yes, ...given }, self) => {
    if (before === undefined) throw misused(text`Say up to when: --before 30d, or --before 2026-01-31.`)
    await using inbox = await openInbox(given, (name) => self.getOptionValueSource(name))
    const which = dead === true ? 'ended events and dead letters' : 'ended events'
    const question = text`Take away the ${which} of ${inbox.shown} received before ${formatInstant(before)}?`
    if (!(await confirm(yes === true, question))) return note(text`Nothing was done.`)
    using bar = progress('pruning')
    const pruned = await interruptible((signal, at) =>
      inbox.prune(
        { before, dead: dead === true },
        { signal, onProgress: ({ done }) => (bar.at(done), at(done)) },
      ),
    )
    if (json === true) printJson(pruned)
    else print(text`${formatAmount(pruned.events, 'event', 'events')} of ${inbox.shown} taken away.`)
  })
}
