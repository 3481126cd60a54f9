import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { codeOf } from '../../../lib/code-of.ts'
import { verb } from '../../verb.ts'
import { misused } from '../../failure.ts'
import { addFilterOptions, filterOf } from '../../inbox/filter-options.ts'
import { openInbox, addInboxOptions } from '../../inbox/open-inbox.ts'
import { interruptible } from '../../interruptible.ts'
import { formatAmount } from '../../format-count.ts'
import { progress } from '../../progress.ts'
import { note, print, printJson, printJsonText } from '../../print.ts'
import { text } from '../../text.ts'

export function exportVerb(): CommandUnknownOpts {
  const command = verb(
    'export',
    'Writes events as JSON lines, oldest first, with everything they say: the body is the text as it came.',
    [
      ['fusewire inbox export --to events.jsonl', 'everything, to a file for your eyes only'],
      [
        "fusewire inbox export --type user.login.failed --since 24h | jq -r '.body | fromjson | .event.user.email'",
        'to another program',
      ],
    ],
  ).option('--to <file>', 'a file to make; there must be none yet (default: standard output)')
  return addFilterOptions(addInboxOptions(command)).action(async ({ json, to, ...given }, self) => {
    await using inbox = await openInbox(given, (name) => self.getOptionValueSource(name))
    const where = filterOf(given)
    const total = to === undefined || Object.keys(where).length > 0 ? undefined : (await inbox.stats()).events
    const file = to === undefined ? undefined : newFile(to)
    using bar = progress('exporting', total)
    let lines = 0
    try {
      await interruptible(async (signal, at) => {
        for await (const line of inbox.export(where, { signal })) {
          if (file === undefined) printJsonText(line)
          else file.write(line)
          lines += 1
          if (file !== undefined) bar.at(lines)
          at(lines)
        }
      })
    } catch (error) {
      file?.discard()
      throw error
    }
    file?.keep()
    if (to !== undefined && json === true) printJson({ events: lines, file: to })
    else if (to === undefined) note(text`${formatAmount(lines, 'event', 'events')}`)
    else print(text`${formatAmount(lines, 'event', 'events')} in ${to}`)
  })
}

/** A file that only its owner can read. It gets its name when it is complete. */
function newFile(path: string) {
  const partial = `${path}.part`
  closeSync(made(path)) // The name is ours from now on.
  const handle = (() => {
    try {
      return made(partial)
    } catch (error) {
      rmSync(path)
      throw error
    }
  })()
  return {
    write: (line: string) => void writeSync(handle, `${line}\n`),
    keep() {
      closeSync(handle)
      renameSync(partial, path)
    },
    discard() {
      closeSync(handle)
      rmSync(partial)
      rmSync(path)
    },
  }
}

/** Creates a file and fails if the name exists, also as a link: in a shared folder another user may have put it there. */
function made(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    const code = codeOf(error)
    const why =
      code === 'EEXIST'
        ? 'is there already: remove it, or take another name'
        : `cannot be made (${code ?? 'unknown'})`
    throw misused(text`--to: ${path} ${why}.`, { cause: error })
  }
}
