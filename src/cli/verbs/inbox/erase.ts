import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import type { Erasure } from '../../../inbox/inbox.ts'
import type { Scrubbed } from '../../../model/erased-step.ts'
import { confirm } from '../../confirm.ts'
import { verb } from '../../verb.ts'
import { openInbox, addInboxOptions } from '../../inbox/open-inbox.ts'
import { interruptible } from '../../interruptible.ts'
import { formatAmount } from '../../format-count.ts'
import { progress } from '../../progress.ts'
import { note, print, printJson } from '../../print.ts'
import { text } from '../../text.ts'
import { several } from '../../option-parsers.ts'

export function eraseVerb(): CommandUnknownOpts {
  const command = verb(
    'erase',
    'Takes away everything that names a person, keeps it from coming back, and says what no inbox can reach.',
    [
      ['fusewire inbox erase 00000000-0000-0001-0000-000000000000', 'by the user id'],
      [
        'fusewire inbox erase 00000000-0000-0001-0000-000000000000 --yes --json',
        'without being asked, for programs',
      ],
      [
        'fusewire inbox erase 00000000-0000-0001-0000-000000000000 --login-id ada@old.example',
        'also events that name the person by an earlier address alone',
      ],
    ],
  )
    .argument('<user>', "the person's user id")
    .option('--tenant <id>', 'only in this tenant')
    .addOption(
      new Option(
        '--login-id <text>',
        'what else the person signed in with: an email address, user name or phone number that no event of the user holds; may be repeated',
      ).argParser(several),
    )
    .option(
      '--compact',
      'rewrite the inbox, so that no remnant is left in unused space; nothing can be received meanwhile',
    )
    .option('--yes', 'without asking')
  return addInboxOptions(command).action(
    async (user, { json, tenant, loginId, compact, yes, ...given }, self) => {
      await using inbox = await openInbox(given, (name) => self.getOptionValueSource(name))
      const question = text`Take away everything in ${inbox.shown} that names the user ${user}? It cannot be undone.`
      if (!(await confirm(yes === true, question))) return note(text`Nothing was done.`)
      using bar = progress('erasing')
      const erasure = await interruptible((signal, at) =>
        inbox.erase(
          { userId: user, ...(tenant !== undefined && { tenantId: tenant }) },
          {
            signal,
            onProgress: ({ done }) => (bar.at(done), at(done)),
            ...(loginId !== undefined && { loginIds: loginId }),
            ...(compact === true && { compact }),
          },
        ),
      )
      if (json === true) printJson(erasure)
      else tell(erasure)
    },
  )
}

function tell({ events, deliveries, bytes, unreached }: Erasure): void {
  print(
    text`${formatAmount(events, 'event', 'events')} erased; ${formatAmount(deliveries, 'delivery', 'deliveries')} ended with them.`,
  )
  print(text`${onDisk[bytes]}`)
  print(text`Out of reach, and yours to look after:`)
  for (const place of unreached) print(text`  - ${place}`)
}

const onDisk: Readonly<Record<Scrubbed, string>> = {
  scrubbed: 'No file of the inbox holds them any more.',
  pending:
    'A process that reads keeps an older state of the file alive: run it again to see that the bytes are gone too.',
  remnants: 'Unused space of the file may still hold bytes of them: --compact rewrites it.',
  'overwritten later': 'No query reaches them; the database overwrites their bytes in its own time.',
}
