import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { newFile } from '../inbox/file.ts'
import { ownBuild } from '../lib/build.ts'
import { tellPort } from '../lib/program.ts'
import { flags } from './flags.ts'

/** `fusewire serve` in this process, with its admin listener. */
const send = process.send?.bind(process)
process.send = (told: unknown) => {
  if (typeof told === 'object' && told !== null && 'url' in told)
    tellPort(Number(new URL(String(told.url)).port))
  else send?.(told)
  return true
}
const main = join(ownBuild().folder, 'dist', 'cli', 'main.js')
process.argv = [process.execPath, main, ...flags(newFile())]
await import(pathToFileURL(main).href)
