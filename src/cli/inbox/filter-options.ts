import { type Command, type OptionValues, InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { type Filter, type State, states } from '../../model/filter.ts'
import type { OneOrMore } from '../../lib/one-or-more.ts'
import { several } from '../option-parsers.ts'

/** The flags that select events. */
export type FilterOptions = {
  type?: readonly string[]
  tenant?: string
  user?: string
  handler?: string
  state?: readonly State[]
  since?: number
  until?: number
  error?: string
}

export function addFilterOptions<Args extends unknown[], Opts extends OptionValues>(
  command: Command<Args, Opts>,
): Command<Args, Opts & FilterOptions> {
  return command
    .option('--type <type>', 'events of this type; may be repeated', several)
    .option('--tenant <id>', 'events of this tenant')
    .option('--user <id>', 'events that name this user, in whatever role')
    .option('--handler <name>', 'events for this handler')
    .addOption(
      new Option('--state <state>', `what became of them: ${states.join(', ')}; may be repeated`).argParser(
        state,
      ),
    )
    .option(
      '--since <time>',
      'received since then: 2026-01-31, 2026-01-31T12:00:00Z, or 90s, 15m, 12h, 7d ago',
      parseInstant,
    )
    .option('--until <time>', 'received before then', parseInstant)
    .option('--error <text>', 'events with a failure that says this') as Command<Args, Opts & FilterOptions> // The options just added.
}

export function filterOf({
  type,
  tenant,
  user,
  handler,
  state: wanted,
  since,
  until,
  error,
}: FilterOptions): Filter {
  return {
    ...(type !== undefined && { type: type as OneOrMore<string> }), // `several` gives one at least.
    ...(tenant !== undefined && { tenantId: tenant }),
    ...(user !== undefined && { userId: user }),
    ...(handler !== undefined && { handler }),
    ...(wanted !== undefined && { state: wanted as OneOrMore<State> }),
    ...(since !== undefined && { receivedAfter: since }),
    ...(until !== undefined && { receivedBefore: until }),
    ...(error !== undefined && { errorText: error }),
  }
}

function state(written: string, before: readonly State[] | undefined): readonly State[] {
  const known = states.find((one) => one === written)
  if (known !== undefined) return [...(before ?? []), known]
  throw new InvalidArgumentError(`It is one of ${states.join(', ')}.`)
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Parses an instant, a date or how long ago, to epoch ms. */
export function parseInstant(written: string): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(written) ?? []
  if (unit !== undefined) return Date.now() - Number(amount) * unitMs[unit as keyof typeof unitMs] // As the pattern says.
  const at = /^\d{4}-\d{2}-\d{2}/.test(written) ? Date.parse(written) : Number.NaN
  if (Number.isFinite(at)) return at
  throw new InvalidArgumentError('Give a date such as 2026-01-31T12:00:00Z, or how long ago, such as 15m.')
}
