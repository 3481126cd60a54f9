// Writes the tables of docs/events.md from the catalogue. With --check it writes nothing and exits 1 when the page is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { aliases, catalogue, isEventType } from '../src/events/catalogue.ts'
import type { EventType } from '../src/events/types.ts'

interface Family {
  readonly title: string
  readonly types: RegExp
  readonly about: string
}

const families: readonly Family[] = [
  {
    title: 'Users',
    types: /^user\.(create|update|delete|deactivate|reactivate|bulk|action)/,
    about: 'Deleting a user in FusionAuth is `user.deactivate`, unless it is a hard delete.',
  },
  {
    title: 'Registrations',
    types: /^user\.registration\./,
    about:
      "A registration is a user's place in one application, with the roles held there. " +
      'Look at `event.registration`: FusionAuth empties `event.user.registrations` in these.',
  },
  {
    title: 'Signing in',
    types: /^user\.login\./,
    about:
      'All of these are sent inside the transaction of the sign-in: a late answer, or a no, can keep people out.',
  },
  {
    title: 'Second factors',
    types: /^user\.two-factor\./,
    about: 'Adding or removing a method sends no `user.update`.',
  },
  {
    title: 'Passwords',
    types: /^user\.password\./,
    about: 'None of these carries a password.',
  },
  {
    title: 'Identities',
    types: /^user\.(email|identity|identity-provider|loginId)\./,
    about: 'What a user signs in with: email address, phone number, user name, an account elsewhere.',
  },
  {
    title: 'Groups',
    types: /^group\./,
    about: 'Joining or leaving a group sends no `user.update`.',
  },
  {
    title: 'Entities',
    types: /^entity\./,
    about: 'Things, not people, that hold permissions: devices, companies, APIs.',
  },
  {
    title: 'Tokens',
    types: /^jwt\./,
    about: '`jwt.refresh` carries tokens that work: do not log it.',
  },
  {
    title: 'The instance',
    types: /^(audit-log|event-log|kickstart)\.|^test$/,
    about:
      'Tenants have no say in these: what a webhook has enabled, it gets. ' +
      "From FusionAuth 1.65.0 on, an audit log entry that belongs to a tenant is sent as that tenant's.",
  },
]

const page = new URL('../docs/events.md', import.meta.url)
const marker = '<!-- From here on written by scripts/events-doc.ts. -->\n'
const types = Object.keys(catalogue).filter(isEventType)

const present = readFileSync(page, 'utf8')
const [prose = ''] = present.split(marker)
const wanted = `${prose}${marker}\n${[overview(), ...families.map(section)].join('\n\n')}\n`

if (process.argv.includes('--check')) {
  if (present !== wanted) {
    console.error('docs/events.md is stale: run node scripts/events-doc.ts')
    process.exitCode = 1
  }
} else {
  writeFileSync(page, wanted)
}

function overview(): string {
  const homeless = types.filter((type) => families.filter((family) => family.types.test(type)).length !== 1)
  if (homeless.length > 0) throw new Error(`not in exactly one family: ${homeless.join(', ')}`)
  const inside = types.filter((type) => catalogue[type].transactional)
  const misprints = [...aliases].map(([misprint, type]) => `\`${misprint}\` means \`${type}\``)
  return [
    '## The types',
    `FusionAuth 1.69 knows ${types.length}, ${inside.length} of them sent inside its transaction. Where *since* is empty, FusionAuth names no version. ` +
      'What needs a *license* is never sent without it.',
    `FusionAuth's documentation misprints a few names. Fusewire reads them as they are meant: ${misprints.join(', ')}.`,
  ].join('\n\n')
}

function section({ title, types: members, about }: Family): string {
  const table = [
    '| type | sent | what happened | always there | since | license |',
    '| --- | --- | --- | --- | --- | --- |',
    ...types.filter((type) => members.test(type)).map(row),
  ]
  return [`### ${title}`, about, table.join('\n')].join('\n\n')
}

function row(type: EventType): string {
  const { transactional, completes, summary, promised, since, license } = catalogue[type]
  const cells = [
    `\`${type}\``,
    transactional ? '**inside**' : completes ? 'after commit' : 'afterwards',
    summary,
    // A path says that those above it are there.
    promised
      .filter((path) => !promised.some((longer) => longer !== path && longer.startsWith(path)))
      .map((path) => `\`${path}\``)
      .join(' '),
    since ?? '',
    license ?? '',
  ]
  return `| ${cells.join(' | ')} |`
}
