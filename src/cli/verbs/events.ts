import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { catalogue } from '../../events/catalogue.ts'
import { sampleEvent } from '../../events/samples/sample-event.ts'
import type { EventType } from '../../events/types.ts'
import { verb } from '../verb.ts'
import { allTypes, knownType } from '../known-type.ts'
import { print, printJson, printTable } from '../print.ts'
import { styled, text } from '../text.ts'

export function eventsVerb(): CommandUnknownOpts {
  return verb('events', 'Lists the types of event FusionAuth sends, or explains one, with a sample.', [
    ['fusewire events', 'every type'],
    ['fusewire events user.login.success', 'what is known of one, and a sample of it'],
    ['fusewire events user.create --json | jq .sample', 'the sample alone'],
  ])
    .argument('[type]', 'the type to explain')
    .action((type, { json }) => {
      if (type !== undefined) return explain(knownType(type), json === true)
      if (json === true) return allTypes.forEach((each) => printJson(factsOf(each)))
      printTable([
        ['TYPE', 'SENT', 'WHAT HAPPENED'].map((name) => styled('bold', name)),
        ...allTypes.map((each) => [each, sent(each), catalogue[each].summary]),
      ])
    })
}

function explain(type: EventType, json: boolean): void {
  const facts = factsOf(type)
  const sample = sampleEvent(type)
  if (json) return printJson({ ...facts, sample })
  const { since, license, promised, secrets } = facts
  print(text`${styled('bold', type)}  ${facts.summary}`)
  print(text``)
  printTable([
    ['sent', sentInWords(type)],
    ['since', since === undefined ? 'FusionAuth names no version' : `FusionAuth ${since}`],
    ...(license === undefined ? [] : [['license', license]]),
    ['always there', ['type', 'id', 'createInstant', ...promised].join(', ')],
    ...(secrets.length === 0 ? [] : [['live credentials', secrets.join(', ')]]),
  ])
  print(text``)
  for (const line of JSON.stringify({ event: sample }, null, 2).split('\n')) print(text`${line}`)
}

function factsOf(type: EventType) {
  return { type, sent: sent(type), ...catalogue[type] }
}

function sent(type: EventType): 'inside' | 'after commit' | 'afterwards' {
  const { transactional, completes } = catalogue[type]
  if (transactional) return 'inside'
  return completes === undefined ? 'afterwards' : 'after commit'
}

function sentInWords(type: EventType): string {
  switch (sent(type)) {
    case 'inside':
      return "inside FusionAuth's transaction: it waits for the answer, and a gate can refuse it"
    case 'after commit':
      return `once, after ${catalogue[type].completes} was committed`
    case 'afterwards':
      return 'once, afterwards: nothing can refuse it'
  }
}
