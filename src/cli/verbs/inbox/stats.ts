import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { verb } from '../../command.ts'
import { told } from '../../inbox/tell.ts'
import { endOf, whereable } from '../../inbox/where.ts'
import type { Overview } from '../../../model/stats.ts'
import { amount, counted } from '../../counted.ts'
import { print, printJson, printTable } from '../../terminal.ts'
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
  return whereable(command).action(async ({ json, ...given }, self) => {
    await using end = await endOf(given, (name) => self.getOptionValueSource(name))
    const stats = await end.stats()
    if (json === true) printJson(stats)
    else tell(end.shown, stats)
  })
}

function tell(place: string, { events, bytes, aside, types, handlers, nodes }: Overview): void {
  const set = aside === 0 ? '' : `, ${counted(aside)} set aside`
  print(
    text`${styled('bold', place)}  ${amount(events, 'event', 'events')}, ${(bytes / 1e6).toFixed(1)} MB${set}`,
  )
  table(
    ['TYPE', 'EVENTS', 'LAST HOUR'],
    types.map(({ type, events: many, lastHour }) => [type, counted(many), counted(lastHour)]),
  )
  table(
    ['HANDLER', 'PENDING', 'OLDEST', 'DEAD', ''],
    handlers.map(({ handler, pending, oldestPendingAt, dead, abandoned, abandonedAt }) => [
      handler,
      counted(pending),
      oldestPendingAt === undefined ? '' : told(oldestPendingAt),
      dead === 0 ? '0' : styled('red', counted(dead)),
      abandonedAt !== undefined
        ? styled('red', text`abandoned since ${told(abandonedAt)}`)
        : abandoned
          ? styled('yellow', 'no process runs it')
          : '',
    ]),
  )
  table(
    ['BLOCKED LANE OF', 'SINCE', 'WAITING'],
    handlers.flatMap(({ handler, blocked }) =>
      blocked.map(({ since, pending }) => [handler, told(since), counted(pending)]),
    ),
  )
  table(
    ['PROCESS', 'SINCE', 'HANDLERS'],
    nodes.map(({ host, pid, startedAt, handlers: runs }) => [
      `${host} ${pid}`,
      told(startedAt),
      runs.join(', '),
    ]),
  )
}

function table(head: readonly string[], rows: Parameters<typeof printTable>[0]): void {
  if (rows.length === 0) return
  print(text``)
  printTable([head.map((name) => styled('bold', name)), ...rows])
}
