import type { ParsedEvent } from '../model/parsed-event.ts'
import { catalogue, type EventFacts, isEventType, userLoginIds } from './catalogue.ts'
import { textsAt, valuesAt } from './values-at.ts'

/** Where an event carries credentials and names people. */
export type Places = Pick<
  EventFacts,
  'users' | 'registrations' | 'secrets' | 'subjects' | 'loginIdsOfUser' | 'loginIdsOfOthers'
>

/** The places of a type. For a type that is newer than the catalogue: the places of all types together. */
export function placesOf(type: string): Places {
  return isEventType(type) ? catalogue[type] : unlisted
}

/** Names of credentials in FusionAuth's API that no event of the catalogue has. */
const likelySecrets = ['accessToken', 'clientSecret', 'idToken', 'password', 'secret']

const unlisted: Places = {
  users: union('users'),
  registrations: union('registrations'),
  secrets: [...union('secrets'), ...likelySecrets],
  subjects: union('subjects'),
  loginIdsOfUser: union('loginIdsOfUser'),
  loginIdsOfOthers: union('loginIdsOfOthers'),
}

function union(name: keyof Places): readonly string[] {
  return [...new Set(Object.values(catalogue).flatMap((facts) => facts[name]))]
}

/** Every path to a login id. */
export function loginIdPaths({ users, loginIdsOfUser, loginIdsOfOthers }: Places): readonly string[] {
  const inUsers = users.flatMap((at) => userLoginIds.map((path) => `${at}.${path}`))
  return [...inUsers, ...loginIdsOfUser, ...loginIdsOfOthers]
}

/** The login ids of one user in an event, without those of other people in it. */
export function loginIdsIn(event: ParsedEvent, isUser: (id: string) => boolean): readonly string[] {
  const { users, loginIdsOfUser } = placesOf(event.type)
  const isThisUser = (user: unknown) => textsAt(user, ['id']).some(isUser)
  const own = users
    .flatMap((at) => valuesAt(event, at))
    .filter(isThisUser)
    .flatMap((user) => textsAt(user, userLoginIds))
  return isThisUser(event['user']) ? [...own, ...textsAt(event, loginIdsOfUser)] : own
}
