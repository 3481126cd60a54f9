import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import { agreed } from '../../ask.ts'
import { verb } from '../../command.ts'
import { misused } from '../../failure.ts'
import { instant } from '../../inbox/filters.ts'
import { told } from '../../inbox/tell.ts'
import { endOf, whereable } from '../../inbox/where.ts'
import { interruptible } from '../../interruptible.ts'
import { amount } from '../../counted.ts'
import { progress } from '../../progress.ts'
import { note, print, printJson } from '../../terminal.ts'
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
      ).argParser(instant),
    )
    .option('--dead', 'dead letters, too')
    .option('--yes', 'without asking')
  return whereable(command).action(async ({ json, before, dead, yes, ...given }, self) => {
    if (before === undefined) throw misused(text`Say up to when: --before 30d, or --before 2026-01-31.`)
    await using end = await endOf(given, (name) => self.getOptionValueSource(name))
    const which = dead === true ? 'ended events and dead letters' : 'ended events'
    const question = text`Take away the ${which} of ${end.shown} received before ${told(before)}?`
    if (!(await agreed(yes === true, question))) return note(text`Nothing was done.`)
    using bar = progress('pruning')
    const pruned = await interruptible((signal, at) =>
      end.prune(
        { before, dead: dead === true },
        { signal, onProgress: ({ done }) => (bar.at(done), at(done)) },
      ),
    )
    if (json === true) printJson(pruned)
    else print(text`${amount(pruned.events, 'event', 'events')} of ${end.shown} taken away.`)
  })
}
