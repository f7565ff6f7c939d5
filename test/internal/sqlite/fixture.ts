import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../src/internal/clock.ts'
import { silentLogger } from '../../../src/internal/logger.ts'
import type { SqliteOptions } from '../../../src/internal/sqlite/database.ts'
import { openDatabase, type DatabaseHandle } from '../../../src/internal/sqlite/open.ts'

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Options that wait half a second for a lock. */
export function sqliteOptions(root: string, more: Partial<SqliteOptions> = {}): SqliteOptions {
  return { root, clock: systemClock, logger: silentLogger, connectionTimeoutMs: 500, ...more }
}

/** An open database in a folder of its own, closed when the test ends. */
export async function openTemporary(more: Partial<SqliteOptions> = {}): Promise<DatabaseHandle> {
  const handle = await openDatabase('sqlite:', sqliteOptions(temporaryFolder(), more))
  onTestFinished(() => handle.release())
  return handle
}
