import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { verb } from '../../command.ts'
import { Failure } from '../../failure.ts'
import type { Shown } from '../../inbox/end.ts'
import { fate, stateOf, told } from '../../inbox/tell.ts'
import { endOf, whereable } from '../../inbox/where.ts'
import { jsonOf, print, printJson, printTable } from '../../terminal.ts'
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
  return whereable(command).action(async (id, { json, tenant, reveal, ...given }, self) => {
    await using end = await endOf(given, (name) => self.getOptionValueSource(name))
    const found = await end.show(id, {
      reveal: reveal === true,
      ...(tenant !== undefined && { tenantId: tenant }),
    })
    if (found === undefined) throw new Failure(1, text`${end.shown} has no event ${id}.`)
    if (json === true) printJson(found)
    else tell(found)
  })
}

function tell(found: Shown): void {
  const { type, id, tenantId, source, createInstant, receivedAt, size, refused, deliveries, event } = found
  const said = event === undefined ? ['Its body is gone.'] : jsonOf(event, 2).split('\n')
  print(text`${styled('bold', type)}  ${fate(found)}`)
  printTable([
    ['id', id],
    ...(tenantId === '' ? [] : [['tenant', tenantId]]),
    ['created', createInstant === 0 ? 'FusionAuth did not say' : told(createInstant)],
    ['received', `${told(receivedAt)}, ${size} bytes, ${source === 'door' ? 'by a request' : source}`],
    ...(refused === undefined ? [] : [['refused', refused]]),
  ])
  for (const delivery of deliveries) {
    const { handler, attempts, reason, failures } = delivery
    const why = reason === undefined || reason === stateOf(delivery) ? '' : `, ${reason}`
    print(text``)
    print(
      text`${styled('bold', handler)}  ${stateOf(delivery)}${why}, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
    )
    for (const { at, message } of failures) print(text`  ${told(at)}  ${styled('red', message)}`)
  }
  print(text``)
  for (const line of said) print(text`${line}`)
}
