import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { eraseVerb } from './inbox/erase.ts'
import { exportVerb } from './inbox/export.ts'
import { listVerb } from './inbox/list.ts'
import { pruneVerb } from './inbox/prune.ts'
import { replayVerb } from './inbox/replay.ts'
import { showVerb } from './inbox/show.ts'
import { statsVerb } from './inbox/stats.ts'

/** Loads all verbs of `inbox` at once, since they are small. Engines are loaded when an inbox is opened. */
export function inboxVerb(): CommandUnknownOpts {
  const inbox = new Command('inbox')
    .description(
      'Works on an inbox: the file or database itself, while a receiver uses it or not, or that of a running server.',
    )
    .helpOption('-h, --help', 'show this')
  for (const verb of [listVerb, showVerb, replayVerb, eraseVerb, pruneVerb, statsVerb, exportVerb]) {
    inbox.addCommand(verb())
  }
  return inbox
}
