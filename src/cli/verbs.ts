import type { Verb } from './verb.ts'

/** Every verb, in the order of the help. */
export const verbs: readonly Verb[] = [
  {
    name: 'serve',
    summary: 'receive events and keep them, with or without handlers',
    load: async () => (await import('./verbs/serve.ts')).serveVerb(),
  },
  {
    name: 'dev',
    summary: 'develop: a receiver beside the emulator, started again on change',
    load: async () => (await import('./verbs/dev.ts')).devVerb(),
  },
  {
    name: 'emulate',
    summary: "start FusionAuth's event system, emulated, to develop against",
    load: async () => (await import('./verbs/emulate.ts')).emulateVerb(),
  },
  {
    name: 'trigger',
    summary: 'send a made-up event to a URL, as FusionAuth would',
    load: async () => (await import('./verbs/trigger.ts')).triggerVerb(),
  },
  {
    name: 'events',
    summary: 'list the types of event FusionAuth sends, or explain one',
    load: async () => (await import('./verbs/events.ts')).eventsVerb(),
  },
  {
    name: 'tail',
    summary: 'show events as they come',
    load: async () => (await import('./verbs/tail.ts')).tailVerb(),
  },
  {
    name: 'inbox',
    summary: 'look into an inbox, replay, erase, prune and export its events',
    load: async () => (await import('./verbs/inbox.ts')).inboxVerb(),
  },
  {
    name: 'verify',
    summary: 'explain a captured request: which step fails, and why',
    load: async () => (await import('./verbs/verify.ts')).verifyVerb(),
  },
  {
    name: 'config',
    summary: 'show the settings in force, and where each comes from',
    load: async () => (await import('./verbs/config.ts')).configVerb(),
  },
]
