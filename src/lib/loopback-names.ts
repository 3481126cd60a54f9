/** The usual names of this machine, as they stand in URLs and in `Host`. */
export const loopbackNames: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/** Whether a `Host` without its port, in lower case, names this machine. Debian calls it 127.0.1.1, so all of 127.0.0.0/8 counts. */
export function isLoopbackName(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(host)
}
