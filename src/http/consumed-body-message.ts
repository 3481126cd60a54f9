import type { IncomingMessage } from 'node:http'

/** What to do about a body that was read before us, in the words of the framework that read it. */
export function consumedBodyMessage(request: IncomingMessage): string {
  const marks = request as { app?: unknown; cookies?: unknown; query?: unknown } // What frameworks leave on a request.
  return `The request body was read before Fusewire got it; its signature is over the exact bytes. ${fix(marks)}`
}

function fix({ app, cookies, query }: { app?: unknown; cookies?: unknown; query?: unknown }): string {
  if (app !== undefined) {
    return [
      'Express: mount toNodeHandler(webhook) before app.use(express.json()),',
      'or keep the bytes: express.json({ verify: (req, _res, bytes) => { req.rawBody = bytes } }).',
      'Nest: NestFactory.create(AppModule, { rawBody: true }).',
    ].join(' ')
  }
  if (cookies !== undefined && query !== undefined) {
    return 'Next.js pages: export const config = { api: { bodyParser: false } }.'
  }
  return 'Run toNodeHandler(webhook) before any body parser (Koa: before koa-bodyparser), or keep the bytes in req.rawBody.'
}
