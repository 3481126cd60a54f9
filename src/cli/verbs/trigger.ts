import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import { verb } from '../verb.ts'
import { Failure } from '../failure.ts'
import { progress } from '../progress.ts'
import { secretWays } from '../secret.ts'
import { print, printJson } from '../print.ts'
import { styled, text } from '../text.ts'
import { headerSigner, requestHeaders, signingKey } from '../trigger/request-headers.ts'
import { createEventMaker } from '../trigger/create-event-maker.ts'
import { pace } from '../trigger/pace.ts'
import { post, type Posted } from '../trigger/post.ts'
import { httpUrl, several, wholeNumber, withoutLogin } from '../option-parsers.ts'

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
      withoutLogin(to, '--to')
      const make = createEventMaker(type, data, set)
      const dress = headerSigner(
        requestHeaders(apiKey, header),
        sign === undefined ? undefined : signingKey(sign, kid),
      )
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
