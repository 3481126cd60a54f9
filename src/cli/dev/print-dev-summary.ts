import type { Emulator } from '../../emulator/emulator.ts'
import { invocation } from '../invocation.ts'
import { redact } from '../redact.ts'
import { shellQuote } from '../shell-quote.ts'
import { print, printJson } from '../print.ts'
import { styled, text } from '../text.ts'

export interface DevSummary {
  readonly emulator: Emulator
  readonly url: string
  readonly adminUrl?: string
  readonly adminToken: string
  readonly inbox: string
  readonly json: boolean
}

/** Prints the URLs, and commands that cause and show a first event. */
export function printDevSummary({
  emulator: { url: fusionauth, apiKey, jwks, kid },
  url,
  adminUrl,
  adminToken,
  inbox,
  json,
}: DevSummary): void {
  if (json)
    return printJson({ fusionauth: { url: fusionauth, apiKey, jwks, kid }, url, adminUrl, adminToken })
  const user = '{"user":{"email":"ada@example.com","password":"a password"}}'
  print(text``)
  print(text`${styled('bold', 'Webhook')}      ${url}`)
  print(text`${styled('bold', 'FusionAuth')}   ${fusionauth}   emulated; Authorization: ${apiKey}`)
  if (adminUrl !== undefined)
    print(text`${styled('bold', 'Admin')}        ${adminUrl}   Authorization: Bearer ${adminToken}`)
  print(text`${styled('bold', 'Inbox')}        ${redact(inbox)}`)
  print(text``)
  print(text`Make something happen, in a second terminal:`)
  print(text``)
  print(
    text`  curl ${shellQuote(`${fusionauth}/api/user`)} -H ${shellQuote(`Authorization: ${apiKey}`)} -H 'Content-Type: application/json' -d ${shellQuote(user)}`,
  )
  print(text`  ${invocation()} inbox list --inbox ${shellQuote(redact(inbox))}`)
  print(text``)
}
