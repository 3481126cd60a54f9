import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { canonicalType, catalogue, isEventType } from '../../src/events/catalogue.ts'
import { valuesAt } from '../../src/events/values-at.ts'
import { sampleEvent } from '../../src/events/samples/sample-event.ts'
import type { EventType } from '../../src/events/types.ts'
import { nodes } from './nodes.ts'

/**
 * FusionAuth's documentation prints a sample of nearly every type. They are not ours to copy: this reads them from the folder that
 * FUSIONAUTH_SAMPLES names, `<type>.json` each and `variants/<type>.<what>.json`.
 */
const folder = process.env['FUSIONAUTH_SAMPLES']
if (!folder)
  console.warn("Skipped: FUSIONAUTH_SAMPLES names no folder, nothing is compared with FusionAuth's samples")
const files = folder
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'))
  : []
const samples = files.map((file) => ({ file, name: basename(file, '.json') }))
const types = Object.keys(catalogue).filter(isEventType)

/** `test` cannot be subscribed to, `user.identity.update` may not be sent yet. */
const withoutSample = ['test', 'user.identity.update']

/** What FusionAuth's samples have wrong, in the words of `faults`. Put right there, it must go here. */
const errata: Readonly<Record<string, readonly string[]>> = {
  // FusionAuth's field list and its client say actioneeUserId and actionerUserId.
  'user.action': ['actioneeId is not ours', 'actionerId is not ours'],
  // Every request carries {"event": …}, and these show the event alone.
  'user.registration.create': ['no envelope'],
  'user.registration.delete': ['no envelope'],
  'user.registration.update': ['no envelope'],
  // Copied from the three above, type and all.
  'user.registration.create.complete': ['no envelope', 'says "user.registration.create"'],
  'user.registration.delete.complete': ['no envelope', 'says "user.registration.delete"'],
  'user.registration.update.complete': ['no envelope', 'says "user.registration.update"'],
}

/** In half of the samples, in no version of FusionAuth's field lists or client we know: users have `twoFactor.methods`. */
const outdated = /(^|\.)twoFactorEnabled$/

/** Below these any key may stand. */
const free = /(^|\.)(data|tokens|applicationTimeToLiveInSeconds|oldValue|newValue|(group|original)\.roles)\./

test.skipIf(!folder)('has read a sample of every type', () => {
  const missing = types.filter((type) => !samples.some(({ name }) => name === type))
  expect(missing.toSorted()).toEqual(withoutSample)
})

test.skipIf(!folder).for(samples)(
  "knows every field of FusionAuth's $name, and finds its own promises kept",
  ({ file, name }) => {
    const body: unknown = JSON.parse(readFileSync(join(folder ?? '', file), 'utf8'))
    const type = types
      .filter((type) => `${name}.`.startsWith(`${type}.`))
      .toSorted()
      .at(-1)
    expect(type && faults(body, type)).toEqual(errata[name] ?? [])
  },
)

/** What in this body is not as we say it is for this type. */
function faults(body: unknown, type: EventType): readonly string[] {
  const [enveloped] = valuesAt(body, 'event')
  const event = enveloped ?? body
  const ours = kindsOf(sampleEvent(type))
  const [says] = valuesAt(event, 'type')
  return [
    ...(enveloped === undefined ? ['no envelope'] : []),
    ...(typeof says === 'string' && canonicalType(says) === type ? [] : [`says ${JSON.stringify(says)}`]),
    ...[...kindsOf(event)].flatMap(([path, kind]) => {
      const our = ours.get(path)
      if (our === undefined) return outdated.test(path) ? [] : [`${path} is not ours`]
      return our === kind ? [] : [`${path} is ${kind}, ours ${our}`]
    }),
    ...catalogue[type].promised
      .filter((path) => valuesAt(event, path).includes(undefined))
      .map((path) => `${path} is missing`),
  ]
}

function kindsOf(event: unknown): ReadonlyMap<string, string> {
  const kinds = [...nodes(event)].map(
    ([path, value]) => [path, Array.isArray(value) ? 'array' : typeof value] as const,
  )
  return new Map(kinds.filter(([path]) => !free.test(path)))
}
