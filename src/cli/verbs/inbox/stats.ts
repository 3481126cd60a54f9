import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { verb } from '../../verb.ts'
import { formatInstant } from '../../format-instant.ts'
import { openInbox, addInboxOptions } from '../../inbox/open-inbox.ts'
import type { Overview } from '../../../model/stats.ts'
import { formatAmount, formatCount } from '../../format-count.ts'
import { print, printJson, printTable } from '../../print.ts'
import { styled, text } from '../../text.ts'

export function statsVerb(): CommandUnknownOpts {
  const command = verb(
    'stats',
    'Shows an inbox at a glance: events by type, deliveries by handler, lanes that are blocked, processes that work on it.',
    [
      ['fusewire inbox stats', 'of inbox.db here'],
      [
        "fusewire inbox stats --json | jq '.handlers[] | select(.dead > 0)'",
        'handlers that gave something up',
      ],
    ],
  )
  return addInboxOptions(command).action(async ({ json, ...given }, self) => {
    await using inbox = await openInbox(given, (name) => self.getOptionValueSource(name))
    const stats = await inbox.stats()
    if (json === true) printJson(stats)
    else tell(inbox.shown, stats)
  })
}

function tell(place: string, { events, bytes, aside, types, handlers, nodes }: Overview): void {
  const set = aside === 0 ? '' : `, ${formatCount(aside)} set aside`
  print(
    text`${styled('bold', place)}  ${formatAmount(events, 'event', 'events')}, ${(bytes / 1e6).toFixed(1)} MB${set}`,
  )
  table(
    ['TYPE', 'EVENTS', 'LAST HOUR'],
    types.map(({ type, events: many, lastHour }) => [type, formatCount(many), formatCount(lastHour)]),
  )
  table(
    ['HANDLER', 'PENDING', 'OLDEST', 'DEAD', ''],
    handlers.map(({ handler, pending, oldestPendingAt, dead, abandoned, abandonedAt }) => [
      handler,
      formatCount(pending),
      oldestPendingAt === undefined ? '' : formatInstant(oldestPendingAt),
      dead === 0 ? '0' : styled('red', formatCount(dead)),
      abandonedAt !== undefined
        ? styled('red', text`abandoned since ${formatInstant(abandonedAt)}`)
        : abandoned
          ? styled('yellow', 'no process runs it')
          : '',
    ]),
  )
  table(
    ['BLOCKED LANE OF', 'SINCE', 'WAITING'],
    handlers.flatMap(({ handler, blocked }) =>
      blocked.map(({ since, pending }) => [handler, formatInstant(since), formatCount(pending)]),
    ),
  )
  table(
    ['PROCESS', 'SINCE', 'HANDLERS'],
    nodes.map(({ host, pid, startedAt, handlers: runs }) => [
      `${host} ${pid}`,
      formatInstant(startedAt),
      runs.join(', '),
    ]),
  )
}

function table(head: readonly string[], rows: Parameters<typeof printTable>[0]): void {
  if (rows.length === 0) return
  print(text``)
  printTable([head.map((name) => styled('bold', name)), ...rows])
}
