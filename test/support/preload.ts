import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const compiler = process.env['CC'] ?? 'cc'

/** Why programs cannot be run under a shim of ours here, undefined where they can. */
export function whyNoShim(): string | undefined {
  if (process.platform !== 'linux') return 'a shim needs LD_PRELOAD, which Linux has'
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return `a shim needs a C compiler: ${compiler}`
  }
}

/** Compiles a C source to a library for LD_PRELOAD, into a folder. Gives its path. */
export function compileShim(source: URL, folder: string): string {
  const shim = join(folder, `${source.pathname.split('/').at(-1) ?? 'shim'}.so`)
  execFileSync(compiler, ['-shared', '-fPIC', '-O1', '-o', shim, source.pathname, '-ldl'])
  return shim
}
