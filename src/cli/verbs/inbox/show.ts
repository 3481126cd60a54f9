import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { verb } from '../../verb.ts'
import { Failure } from '../../failure.ts'
import type { ShownEvent } from '../../inbox/opened-inbox.ts'
import { formatInstant } from '../../format-instant.ts'
import { eventState, deliveryState } from '../../inbox/event-state.ts'
import { openInbox, addInboxOptions } from '../../inbox/open-inbox.ts'
import { jsonOf, print, printJson, printTable } from '../../print.ts'
import { styled, text } from '../../text.ts'

export function showVerb(): CommandUnknownOpts {
  const command = verb(
    'show',
    'Shows one event: where it came from, every delivery with its failures, and what it says. What names a person is hidden, unless you ask for it.',
    [
      ['fusewire inbox show 2f6c1b0e-7a3d-4c55-9f21-0c4f0d1e8a77', 'all but personal data'],
      ['fusewire inbox show 2f6c1b0e-7a3d-4c55-9f21-0c4f0d1e8a77 --reveal', 'as it came'],
      [
        'fusewire inbox show 2f6c1b0e-7a3d-4c55-9f21-0c4f0d1e8a77 --reveal --json | jq .event.user',
        'for programs',
      ],
    ],
  )
    .argument('<id>', "the event's id")
    .option('--tenant <id>', 'of this tenant, where tenants share an inbox')
    .option('--reveal', 'with everything the event says')
  return addInboxOptions(command).action(async (id, { json, tenant, reveal, ...given }, self) => {
    await using inbox = await openInbox(given, (name) => self.getOptionValueSource(name))
    const found = await inbox.show(id, {
      reveal: reveal === true,
      ...(tenant !== undefined && { tenantId: tenant }),
    })
    if (found === undefined) throw new Failure(1, text`${inbox.shown} has no event ${id}.`)
    if (json === true) printJson(found)
    else tell(found)
  })
}

function tell(found: ShownEvent): void {
  const { type, id, tenantId, source, createInstant, receivedAt, size, refused, deliveries, event } = found
  const said = event === undefined ? ['Its body is gone.'] : jsonOf(event, 2).split('\n')
  print(text`${styled('bold', type)}  ${eventState(found)}`)
  printTable([
    ['id', id],
    ...(tenantId === '' ? [] : [['tenant', tenantId]]),
    ['created', createInstant === 0 ? 'FusionAuth did not say' : formatInstant(createInstant)],
    [
      'received',
      `${formatInstant(receivedAt)}, ${size} bytes, ${source === 'door' ? 'by a request' : source}`,
    ],
    ...(refused === undefined ? [] : [['refused', refused]]),
  ])
  for (const delivery of deliveries) {
    const { handler, attempts, reason, failures } = delivery
    const why = reason === undefined || reason === deliveryState(delivery) ? '' : `, ${reason}`
    print(text``)
    print(
      text`${styled('bold', handler)}  ${deliveryState(delivery)}${why}, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
    )
    for (const { at, message } of failures) print(text`  ${formatInstant(at)}  ${styled('red', message)}`)
  }
  print(text``)
  for (const line of said) print(text`${line}`)
}
