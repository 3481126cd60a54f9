import type { Context, Hono } from 'hono'
import type { AdminEnv } from '../open-admin.ts'
import { readInput } from './read-input.ts'
import { Refusal } from './refusal.ts'
import type { AnswerOf, JsonAnswer, ParsedOf, Route } from './routes.ts'

/** Answers a route: `handle` gets the checked input and returns what the route promises. */
export function addRoute<R extends Route>(
  app: Hono<AdminEnv>,
  route: R,
  handle: (
    input: ParsedOf<R>,
    context: Context<AdminEnv>,
  ) => Promise<R['answer'] extends JsonAnswer ? AnswerOf<R> : Response>,
): void {
  const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1')
  app.on(route.method, path, async (context) => {
    if (route.scope === 'operate' && context.env.caller.scope !== 'operate') throw new Refusal('scope')
    const answer = await handle(await readInput(route, context.req.raw, context.req.param()), context)
    return answer instanceof Response ? answer : Response.json(answer)
  })
}
