import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import { verb } from '../../verb.ts'
import type { EventSummary } from '../../../server/api/summarize-event.ts'
import { addFilterOptions, filterOf } from '../../inbox/filter-options.ts'
import { formatInstant } from '../../format-instant.ts'
import { eventState } from '../../inbox/event-state.ts'
import { openInbox, addInboxOptions } from '../../inbox/open-inbox.ts'
import { note, printJson, printTable } from '../../print.ts'
import { styled, text } from '../../text.ts'
import { wholeNumber } from '../../option-parsers.ts'

export function listVerb(): CommandUnknownOpts {
  const command = verb('list', 'Lists events, newest first, with what became of them.', [
    ['fusewire inbox list', 'the newest 50'],
    ['fusewire inbox list --state dead --since 24h', 'what was given up since yesterday'],
    [
      'fusewire inbox list --user 00000000-0000-0001-0000-000000000000 --limit 500 --json',
      "a user's events, for programs",
    ],
    ['fusewire inbox list --server http://127.0.0.1:3001 --token env:ADMIN_TOKEN', 'of a running server'],
  ])
    .addOption(new Option('--limit <number>', 'how many').argParser(wholeNumber(1, 1_000_000)).default(50))
    .option('--oldest', 'oldest first')
  return addFilterOptions(addInboxOptions(command)).action(
    async ({ json, limit, oldest, ...given }, self) => {
      await using inbox = await openInbox(given, (name) => self.getOptionValueSource(name))
      const listed: EventSummary[] = []
      let after: string | undefined
      do {
        const page = await inbox.page(filterOf(given), {
          limit: Math.min(500, limit - listed.length),
          order: oldest === true ? 'oldest' : 'newest',
          ...(after !== undefined && { after }),
        })
        if (json === true) page.items.forEach((item) => printJson(item))
        listed.push(...page.items)
        after = page.next
      } while (after !== undefined && listed.length < limit)
      if (json === true) return
      if (listed.length === 0) return note(text`No event of ${inbox.shown} fits.`)
      printTable([
        ['RECEIVED', 'TYPE', 'ID', 'STATE'].map((name) => styled('bold', name)),
        ...listed.map((item) => [formatInstant(item.receivedAt), item.type, item.id, eventState(item)]),
      ])
      if (after !== undefined) note(text`There are more: --limit takes up to 1,000,000.`)
    },
  )
}
