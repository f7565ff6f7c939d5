import type { DatabaseSync } from 'node:sqlite'
import { OperationalError } from '../../errors.ts'
import { Database, type SqliteOptions } from './database.ts'
import { isBusy, toOperationalError } from './faults.ts'
import { loadSqlite } from './load.ts'
import { databasePath, prepareLocation } from './location.ts'
import { describeLockHolders } from './lock-holders.ts'
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './schema.ts'

/** A share in a process's one connection to a file. */
export interface DatabaseHandle {
  readonly database: Database
  /** Gives the share back; the last one closes the connection. Safe to call twice. */
  release(): Promise<void>
}

interface Shared {
  readonly opening: Promise<Database>
  shares: number
}

const sharedByPath = new Map<string, Shared>()

/**
 * Opens the database of a `sqlite:` URL, creating what is missing; all who ask for the same file share one connection.
 *
 * @throws {@link OperationalError} saying what is wrong with the place or the file, and what to do.
 */
export async function openDatabase(url: string, options: SqliteOptions): Promise<DatabaseHandle> {
  const path = prepareLocation(databasePath(url, options.root), options.allowNetworkFileSystem ?? false)
  let shared = sharedByPath.get(path)
  if (shared === undefined) sharedByPath.set(path, (shared = { opening: openFile(path, options), shares: 0 }))
  const mine = shared
  mine.shares += 1
  let released: Promise<void> | undefined
  const release = (): Promise<void> => (released ??= giveBack(path, mine))
  try {
    return { database: await mine.opening, release }
  } catch (error) {
    await release()
    throw error
  }
}

async function giveBack(path: string, shared: Shared): Promise<void> {
  shared.shares -= 1
  if (shared.shares > 0) return
  if (sharedByPath.get(path) === shared) sharedByPath.delete(path)
  const database = await shared.opening.catch(() => undefined)
  await database?.close()
}

async function openFile(path: string, options: SqliteOptions): Promise<Database> {
  const connect = (): Promise<DatabaseSync> => connectTo(prepareLocation(path, options.allowNetworkFileSystem ?? false), options)
  return new Database(path, await connectTo(path, options), options, connect)
}

async function connectTo(path: string, options: SqliteOptions): Promise<DatabaseSync> {
  const { DatabaseSync } = loadSqlite()
  const deadlineMs = performance.now() + options.connectionTimeoutMs
  for (;;) {
    let connection: DatabaseSync | undefined
    try {
      connection = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: false })
      prepareConnection(connection, path, options)
      return connection
    } catch (error) {
      connection?.close()
      if (!isBusy(error)) throw toOperationalError(error, path)
      if (performance.now() > deadlineMs) {
        throw new OperationalError(
          `The database "${path}" is locked by another program.${describeLockHolders(path)} Close it, or raise brokerConnectionTimeout.`,
          { cause: error },
        )
      }
    }
    // Others may be creating the same file at this moment.
    await new Promise((resolve) => setTimeout(resolve, 2 + 8 * Math.random()))
  }
}

function prepareConnection(connection: DatabaseSync, path: string, options: SqliteOptions): void {
  refuseOthersFile(connection, path)
  connection.exec('PRAGMA journal_mode = WAL')
  connection.exec(`PRAGMA synchronous = ${options.synchronous === 'full' ? 'FULL' : 'NORMAL'}`)
  // The log is moved by a thread, see Checkpoints, never by whoever commits.
  connection.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY')
  if (pragma(connection, 'user_version') === SCHEMA_VERSION) return
  connection.exec('BEGIN IMMEDIATE')
  try {
    // Looked at again: another process may have been first.
    refuseOthersFile(connection, path)
    if (pragma(connection, 'user_version') === 0) {
      connection.exec(SCHEMA)
      connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`)
    }
    connection.exec('COMMIT')
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK')
    throw error
  }
}

function refuseOthersFile(connection: DatabaseSync, path: string): void {
  const version = pragma(connection, 'user_version')
  const ours = pragma(connection, 'application_id') === APPLICATION_ID
  const tables = Number(connection.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'])
  if (!ours && tables > 0) {
    throw new OperationalError(`The database "${path}" belongs to another program. It was left as it is: choose another path in brokerUrl.`)
  }
  if (version > SCHEMA_VERSION) {
    throw new OperationalError(
      `The database "${path}" was written by a newer version (schema ${version}, this version knows ${SCHEMA_VERSION}). Update celeriac here, or choose another path in brokerUrl.`,
    )
  }
}

function pragma(connection: DatabaseSync, name: string): number {
  return Number(connection.prepare(`PRAGMA ${name}`).get()?.[name])
}
