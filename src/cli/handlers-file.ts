import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isObject } from '../lib/json.ts'
import type { Webhook } from '../webhook.ts'
import { misused } from './failure.ts'
import { text } from './text.ts'

/** What a file of handlers exports: a webhook, or what adds handlers to one. */
export type Handlers = { readonly webhook: Webhook } | { readonly add: (webhook: Webhook) => Promise<void> }

export async function loadHandlers(file: string): Promise<Handlers> {
  const path = resolve(file)
  if (!existsSync(path)) throw misused(text`${file} does not exist.`)
  const module: unknown = await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw misused(text`${file} cannot be run: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  })
  const { default: exported, webhook = exported }: { default?: unknown; webhook?: unknown } = isObject(module)
    ? module
    : {}
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

/** By what it can do: another copy of the package may have made it. */
function isWebhook(value: unknown): value is Webhook {
  return isObject(value) && typeof value['receive'] === 'function' && typeof value['drain'] === 'function'
}
