import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import { sampleEvent } from '../../events/samples/sample-event.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import { signatureHeader, signer, type SigningKey } from '../../lib/sign.ts'
import { verb } from '../command.ts'
import { knownType } from '../event-type.ts'
import { Failure, misused } from '../failure.ts'
import { readJsonObject } from '../files.ts'
import { overlay } from '../overlay.ts'
import { post, type Posted } from '../post.ts'
import { progress } from '../progress.ts'
import { readSecret, secretWays } from '../secret.ts'
import { print, printJson } from '../terminal.ts'
import { styled, text } from '../text.ts'
import { httpUrl, several, wholeNumber } from '../values.ts'

interface Sent extends Posted {
  readonly type: string
  readonly id: string
}

export function triggerVerb(): CommandUnknownOpts {
  return verb(
    'trigger',
    'Sends a made-up event to a URL, as FusionAuth would: with the headers and signature you name.',
    [
      ['fusewire trigger user.create', 'a sample, to http://127.0.0.1:3000/fusionauth-webhook'],
      [
        'fusewire trigger user.delete --set user.id=ada --set user.email=ada@example.com',
        'with values of yours',
      ],
      [
        'fusewire trigger user.create --api-key env:WEBHOOK_KEY --sign env:SIGNING_SECRET',
        'authenticated and signed',
      ],
      ['fusewire trigger user.login.success --count 1000 --rate 100', 'a thousand, a hundred a second'],
      [
        'fusewire trigger user.create --data event.json --to https://example.com/hook',
        'an event from a file',
      ],
    ],
  )
    .argument('<type>', 'the type of event; fusewire events lists them')
    .addOption(
      new Option('--to <url>', 'where to send it')
        .argParser(httpUrl)
        .env('FUSEWIRE_URL')
        .default('http://127.0.0.1:3000/fusionauth-webhook'),
    )
    .option(
      '--set <path=value>',
      'a value to put in the event, such as user.email=ada@example.com; may be repeated',
      several,
    )
    .option(
      '--data <file>',
      'the event to send instead of a sample: JSON, with or without {"event": …}; - is standard input',
    )
    .option('--api-key <secret>', `sent as Authorization: ${secretWays}`)
    .option('--header <name:value>', 'a further header, for what is no secret; may be repeated', several)
    .option('--sign <secret>', `sign it with this HMAC secret or PEM private key: ${secretWays}`)
    .option('--kid <kid>', 'the key id that the signature names')
    .addOption(
      new Option('--count <number>', 'how many to send').argParser(wholeNumber(1, 10_000_000)).default(1),
    )
    .addOption(
      new Option('--rate <number>', 'how many a second (default: one after the other)').argParser(
        wholeNumber(1, 100_000),
      ),
    )
    .action(async (type, { to, json, count, rate, set = [], data, apiKey, header = [], sign, kid }) => {
      const make = maker(type, data, set)
      const dress = dresser(headersOf(apiKey, header), sign === undefined ? undefined : keyOf(sign, kid))
      make() // What is wrong with it is said before anything is sent.
      const sent: Sent[] = []
      const begun = performance.now()
      {
        using bar = progress('sending', count)
        await pace(count, rate, async () => {
          const event = make()
          const body = JSON.stringify({ event })
          const one = {
            type: String(event['type']),
            id: String(event['id']),
            ...(await post(to, dress(body), body)),
          }
          sent.push(one)
          bar.at(sent.length)
          if (json === true) printJson(one)
          else if (count === 1) tell(one)
        })
      }
      if (json !== true && count > 1) summarize(sent, performance.now() - begun)
      const refused = sent.filter(({ status }) => status < 200 || status > 299).length
      if (refused > 0) {
        throw new Failure(
          1,
          count === 1
            ? text`The event was not accepted.`
            : text`${refused} of ${count} events were not accepted.`,
        )
      }
    })
}

/** Makes one event after the other, each with an id of its own, unless that is set. */
function maker(type: string, data: string | undefined, set: readonly string[]): () => JsonObject {
  const given = data === undefined ? undefined : eventIn(readJsonObject(data, '--data'))
  if (given !== undefined && given['type'] !== type) {
    throw misused(text`--data holds an event of the type ${String(given['type'])}, not ${type}.`)
  }
  const known = given === undefined ? knownType(type) : undefined
  return () => {
    const event = structuredClone(given) ?? { ...(known && sampleEvent(known)) }
    Object.assign(event, { id: randomUUID(), createInstant: Date.now() })
    overlay(event, set)
    return event
  }
}

function eventIn(json: JsonObject): JsonObject {
  return isObject(json['event']) ? json['event'] : json
}

function headersOf(apiKey: string | undefined, more: readonly string[]): Headers {
  const headers = new Headers({ 'content-type': 'application/json' })
  if (apiKey !== undefined) headers.set('authorization', readSecret(apiKey, '--api-key'))
  for (const line of more) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\t\x20-\x7e]*)$/.exec(line) ?? []
    if (name === '') throw misused(text`--header takes 'Name: value'.`)
    headers.set(name, value)
  }
  return headers
}

function keyOf(reference: string, kid: string | undefined): SigningKey {
  const secret = readSecret(reference, '--sign')
  const key = secret.includes('-----BEGIN') ? { privateKey: secret } : { secret }
  return { ...key, ...(kid !== undefined && { kid }) }
}

function dresser(headers: Headers, key: SigningKey | undefined): (body: string) => Headers {
  if (key === undefined) return () => headers
  const signed = signer(key)
  return (body) => {
    const dressed = new Headers(headers)
    dressed.set(signatureHeader, signed(body))
    return dressed
  }
}

/** Without a rate one after the other; with one on time, whether or not earlier ones were answered. */
async function pace(count: number, rate: number | undefined, once: () => Promise<void>): Promise<void> {
  if (rate === undefined) {
    for (let index = 0; index < count; index++) await once()
    return
  }
  const begun = performance.now()
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  for (let index = 0; index < count && failures.length === 0; index++) {
    const early = begun + (index * 1000) / rate - performance.now()
    if (early > 0) await sleep(early)
    if (underWay.size >= atATime) await Promise.race(underWay)
    const sending = once()
      .catch((error: unknown) => void failures.push(error))
      .finally(() => underWay.delete(sending))
    underWay.add(sending)
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
}

/** More than this would measure this process, not the receiver. */
const atATime = 256

function tell({ status, type, id, ms, body }: Sent): void {
  const well = status >= 200 && status <= 299
  print(text`${styled(well ? 'green' : 'red', status)}  ${type}  ${id}  ${ms.toFixed(0)} ms`)
  if (body !== '') print(text`     ${body}`)
}

function summarize(sent: readonly Sent[], tookMs: number): void {
  const times = sent.map(({ ms }) => ms).toSorted((a, b) => a - b)
  const at = (share: number) => (times[Math.ceil(times.length * share) - 1] ?? 0).toFixed(1)
  const perSecond = ((sent.length * 1000) / tookMs).toFixed(0)
  const statuses = Map.groupBy(sent, ({ status }) => status)
  print(text`${sent.length} sent in ${(tookMs / 1000).toFixed(1)} s, ${perSecond} a second`)
  for (const [status, those] of statuses) print(text`  ${those.length} × ${status}`)
  print(text`  answered within ${at(0.5)} ms (half), ${at(0.99)} ms (99 of 100), ${at(1)} ms (all)`)
}
