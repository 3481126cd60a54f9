import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { compileShim, whyNoShim } from '../support/preload.ts'

export interface PowerOptions {
  readonly cuts: number
  /** Answers without waiting for the disk, to see that a lost acknowledgement is noticed. */
  readonly sabotage?: 'no sync'
  readonly progress?: (cuts: number) => void
}

export interface PowerVerdict {
  readonly acknowledged: number
  /** Acknowledged events and settled atomic effects that are gone. */
  readonly lost: number
  /** Atomic effects that are there twice. */
  readonly repeated: number
}

const names = ['inbox.db', 'inbox.db-wal']
const sectorBytes = 512
/** Why power cannot be cut here, undefined where it can. */
export const whyNot = whyNoShim

/**
 * Cuts the power of an inbox under load, again and again. A shim (power.c) keeps what was synced apart from what was only written; a cut
 * leaves what was synced and, every other time, whichever sectors of the rest the disk happened to have written.
 */
export async function cutPower({ cuts, sabotage, progress }: PowerOptions): Promise<PowerVerdict> {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-power-'))
  const [live, disk] = [join(folder, 'live'), join(folder, 'disk')]
  const kept = new Set<string>()
  const handled = new Set<string>()

  async function liveAndDie(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
    const child = fork(new URL('power-victim.ts', import.meta.url), args, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...process.env, ...env },
    })
    child.on('message', (said: { kept?: string[]; handled?: string[] }) => {
      for (const id of said.kept ?? []) kept.add(id)
      for (const id of said.handled ?? []) handled.add(id)
    })
    const dead = once(child, 'close')
    await Promise.race([
      once(child, 'message'),
      dead.then(() => Promise.reject(new Error('the victim did not start'))),
    ])
    await sleep(20 + Math.random() * 400)
    child.kill('SIGKILL')
    await dead
  }

  try {
    mkdirSync(live)
    mkdirSync(disk)
    const shim = compileShim(new URL('power.c', import.meta.url), folder)
    for (let cut = 1; cut <= cuts; cut++) {
      await liveAndDie([join(live, 'inbox.db')], {
        LD_PRELOAD: shim,
        POWER_LIVE: live,
        POWER_DISK: disk,
        ...(sabotage === 'no sync' && { POWER_SKIPS_FDATASYNC: '1' }),
      })
      leave(live, disk, cut % 2 === 0)
      progress?.(cut)
    }
    return judge(join(live, 'inbox.db'), kept, handled)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Makes `live` what is there when the power is back; `torn`: with some of what was written and not synced. */
function leave(live: string, disk: string, torn: boolean): void {
  rmSync(join(live, 'inbox.db-shm'), { force: true }) // Memory, whatever its name says.
  for (const name of names) {
    const [path, synced] = [join(live, name), join(disk, name)]
    if (!existsSync(synced)) {
      rmSync(path, { force: true })
      continue
    }
    if (torn && existsSync(path)) writeFileSync(path, tear(readFileSync(synced), readFileSync(path)))
    else copyFileSync(synced, path)
    copyFileSync(path, synced)
  }
}

/** The synced bytes, with each sector that differs replaced by the written one or not. */
function tear(synced: Buffer, written: Buffer): Buffer {
  const length = Math.random() < 0.5 ? synced.length : written.length
  const torn = Buffer.alloc(length)
  synced.copy(torn)
  for (let at = 0; at < length; at += sectorBytes) {
    if (Math.random() < 0.5) written.copy(torn, at, at, at + sectorBytes)
  }
  return torn
}

function judge(file: string, kept: ReadonlySet<string>, handled: ReadonlySet<string>): PowerVerdict {
  using db = new DatabaseSync(file)
  const check = db.prepare('pragma integrity_check').get()?.['integrity_check']
  if (check !== 'ok') throw new Error(`the inbox is corrupt: ${String(check)}`)
  const there = new Set(
    db
      .prepare('select name from sqlite_schema')
      .all()
      .map(({ name }) => name),
  )
  const idsOf = (table: string): string[] =>
    there.has(table)
      ? db
          .prepare(`select id from ${table}`)
          .all()
          .map(({ id }) => String(id))
      : []
  const events = new Set(idsOf('fw_events'))
  const effects = idsOf('effects')
  const once = new Set(effects)
  return {
    acknowledged: kept.size,
    lost:
      [...kept].filter((id) => !events.has(id)).length + [...handled].filter((id) => !once.has(id)).length,
    repeated: effects.length - once.size,
  }
}
