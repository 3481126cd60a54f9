import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { createAuthenticator } from '../create-authenticator.ts'
import { readCaptured } from '../verify/captured.ts'
import { verb } from '../verb.ts'
import { explain, type ExplainedStep } from '../verify/explain.ts'
import { Failure } from '../failure.ts'
import { readBytes } from '../read-bytes.ts'
import { addSettingOptions, settingsOf } from '../add-setting-options.ts'
import { authentication } from '../settings.ts'
import { print, printJson } from '../print.ts'
import { padded, styled, type Text, text } from '../text.ts'

export function verifyVerb(): CommandUnknownOpts {
  const command = verb(
    'verify',
    "Takes a captured request through the receiver's own steps, and explains which fails and why. The file holds the request as it came: request line, headers, an empty line, the body.",
    [
      ['fusewire verify request.http --signing-secret env:SIGNING_SECRET', 'is it signed as it should be?'],
      [
        'fusewire verify request.http --jwks https://auth.example.com/.well-known/jwks.json --kid _H07wVG1fV3l5ih74rNxIC3nevE',
        'against the keys FusionAuth publishes',
      ],
      [
        'fusewire verify headers.txt --body body.json --api-key file:key.txt',
        'headers and body from two files',
      ],
      ['nc -l 3000 > request.http', 'one way to capture one: let FusionAuth post to it, then Ctrl+C'],
    ],
  )
    .argument('<file>', 'the request; - is standard input')
    .option('--body <file>', 'the body, when the first file holds only the headers')
  return addSettingOptions(command, authentication).action(async (file, { json, body }, self) => {
    const authenticator = createAuthenticator(settingsOf(self, authentication))
    const apart = body === undefined ? undefined : readBytes(body, '--body')
    const captured = await readCaptured(readBytes(file, 'verify'), apart)
    const { status, steps, event } = await explain(captured, authenticator)
    const { mended } = captured
    if (json === true) printJson({ status, steps, mended, ...(event && { type: event.type, id: event.id }) })
    else {
      for (const words of mended) print(text`${styled('yellow', '!')} ${words}`)
      for (const step of steps) printStep(step)
    }
    const fault = steps.find(({ verdict }) => verdict === 'fails')
    if (fault !== undefined) {
      throw new Failure(
        1,
        status === 200
          ? text`The event would be kept, but no handler runs: ${fault.says}.`
          : text`The receiver would answer ${status}: ${fault.says}.`,
      )
    }
    if (json === true) return
    print(
      authenticator === undefined
        ? text`Everything but the credentials is right. To check those too, give what the receiver has: --api-key, --signing-secret or --jwks with --kid.`
        : text`The receiver would accept it, if no gate refuses.`,
    )
  })
}

function printStep({ name, verdict, says, hint }: ExplainedStep): void {
  print(text`${marks[verdict]} ${padded(name, 12)} ${says}`)
  if (hint !== undefined) print(text`  ${padded('', 12)} ${styled('dim', hint)}`)
}

const marks: Readonly<Record<ExplainedStep['verdict'], Text>> = {
  holds: styled('green', '✓'),
  fails: styled('red', '✗'),
  'not checked': styled('yellow', '-'),
}
