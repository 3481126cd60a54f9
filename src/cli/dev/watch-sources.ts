import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'

const source = /\.(?:[cm]?[jt]sx?|json)$/
/** Folders that hold no sources: dependencies, build output, hidden folders. */
const passedBy = /^(?:node_modules|dist|\..*)$/

/**
 * Calls back with the name of each source file that changes below a folder. Folder by folder: node's recursive watching looks into
 * node_modules too, where there are more folders than a system lets one watch.
 */
export function watchSources(folder: string, changed: (file: string) => void): Disposable {
  const watchers = new Map<string, FSWatcher>()

  function attend(path: string): void {
    if (watchers.has(path)) return
    try {
      const folders = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
      const watcher = watch(path, (_, file) => {
        if (file === null || passedBy.test(file)) return
        if (source.test(file)) changed(file)
        else attend(join(path, file)) // A new folder, or a file that is no source.
      })
      watchers.set(
        path,
        watcher.on('error', () => forget(path)),
      )
      for (const { name } of folders) if (!passedBy.test(name)) attend(join(path, name))
    } catch {
      // It is not a folder, or was removed meanwhile.
    }
  }

  function forget(path: string): void {
    watchers.get(path)?.close()
    watchers.delete(path)
  }

  attend(folder)
  return {
    [Symbol.dispose]() {
      for (const path of watchers.keys()) forget(path)
    },
  }
}
