/** What `await` waits for though it is no promise: the stubs of RPC libraries are proxies, over an object or over a function. */
export const thenables: readonly { name: string; of: (promise: Promise<unknown>) => unknown }[] = [
  { name: 'a proxy with then', of: (promise) => new Proxy({}, answering(promise)) },
  { name: 'a function with then', of: (promise) => new Proxy(() => {}, answering(promise)) },
]

function answering(promise: Promise<unknown>): ProxyHandler<object> {
  return { get: (_, member) => (member === 'then' ? promise.then.bind(promise) : undefined) }
}
