import { isObject } from '../lib/json-object.ts'
import type { Webhook } from '../webhook/webhook.ts'
import { misused } from './failure.ts'
import { importFile } from './import-file.ts'
import { text } from './text.ts'

/** The export of a handlers' file: a webhook, or a function that adds handlers to one. */
export type Handlers = { readonly webhook: Webhook } | { readonly add: (webhook: Webhook) => Promise<void> }

export async function loadHandlers(file: string): Promise<Handlers> {
  const { default: exported, webhook = exported } = await importFile(file)
  if (isWebhook(webhook)) return { webhook }
  if (typeof exported === 'function') {
    const add = exported as (webhook: Webhook) => unknown // Its parameter is what it will be given.
    return { add: (given) => adding(file, () => add(given)) }
  }
  throw misused(
    text`${file} must export a webhook (export const webhook = new Webhook(…)) or a function that adds handlers to one (export default (webhook) => { webhook.on(…) }).`,
  )
}

async function adding(file: string, add: () => unknown): Promise<void> {
  try {
    await add()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw misused(text`${file} cannot add its handlers: ${why}`, { cause: error })
  }
}

/** Recognizes a webhook by its methods: it may come from another copy of the package. */
function isWebhook(value: unknown): value is Webhook {
  return isObject(value) && typeof value['receive'] === 'function' && typeof value['drain'] === 'function'
}
