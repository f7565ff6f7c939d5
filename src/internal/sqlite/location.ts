import { accessSync, closeSync, constants, existsSync, openSync, realpathSync, rmSync, statSync, statfsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { OperationalError } from '../../errors.ts'
import { ignoreExisting, makeOwnFolder } from '../own-folder.ts'

/** File systems whose locks and shared memory do not reach other machines, by the number `statfs` gives them. */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x5346414f, 'AFS'],
])

/**
 * The file that a `sqlite:` URL means.
 *
 * `sqlite:` is `<root>/.celeriac/celeriac.db`, `sqlite:data/queue.db` is below the root, `sqlite:///var/queue.db` is absolute.
 */
export function databasePath(url: string, root: string): string {
  const rest = url.slice(url.indexOf(':') + 1)
  if (rest === '' || rest === '//') return join(root, '.celeriac', 'celeriac.db')
  if (rest.startsWith('//') && !rest.startsWith('///')) {
    throw new OperationalError(`Expected sqlite:relative/path.db or sqlite:///absolute/path.db, got "${url}". Use no slash or three slashes after "sqlite:".`)
  }
  const path = rest.replace(/^\/\/\/(?=[A-Za-z]:)/, '').replace(/^\/\//, '')
  return resolve(root, path)
}

/**
 * Makes the folder and the empty file if they are missing, for this user only, and resolves links.
 *
 * @throws {@link OperationalError} when it cannot be a database's place, saying why and what to do.
 */
export function prepareLocation(path: string, allowNetworkFileSystem: boolean): string {
  const folder = dirname(path)
  try {
    makeOwnFolder(folder)
    if (existsSync(path) && !statSync(path).isFile()) {
      throw new OperationalError(`Expected a database file at "${path}", found a folder or device. Choose another path in brokerUrl.`)
    }
    createIfMissing(path)
    accessSync(path, constants.R_OK | constants.W_OK)
  } catch (error) {
    if (error instanceof OperationalError) throw error
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new OperationalError(
      `The database "${path}" cannot be written (${reason}). Make its folder writable for this user, or choose another place with brokerUrl, e.g. sqlite:///var/lib/myapp/celeriac.db.`,
      { cause: error },
    )
  }
  if (!allowNetworkFileSystem) refuseNetworkFileSystem(path)
  return realpathSync(path)
}

/**
 * Makes the empty file, for this user only. One that exists is not even opened: closing any descriptor of a
 * file gives up the locks that SQLite holds on it in this process.
 */
function createIfMissing(path: string): void {
  // Looked at before the file itself: were it the other way round, they might be those of one that is just being made.
  const leftovers = [`${path}-wal`, `${path}-shm`].map((leftover) => ({ leftover, made: whenMade(leftover) }))
  if (existsSync(path)) return
  // Those of a deleted file, which processes that have it open still use; not those that another process,
  // making the file at the same time, has put in their place.
  for (const { leftover, made } of leftovers) if (made !== undefined && whenMade(leftover) === made) rmSync(leftover, { force: true })
  ignoreExisting(() => closeSync(openSync(path, 'wx', 0o600)))
}

/** Tells a file from a later one of the same name. */
function whenMade(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.ino} ${stat.birthtimeNs}`
}

function refuseNetworkFileSystem(path: string): void {
  if (process.platform !== 'linux') return
  const kind = NETWORK_FILE_SYSTEMS.get(statfsSync(dirname(path)).type >>> 0)
  if (kind === undefined) return
  throw new OperationalError(
    `The database "${path}" is on a network file system (${kind}), where SQLite's locks cannot be trusted. Put it on a local disk, use a broker made for several machines, or set brokerTransportOptions.allowNetworkFileSystem if one machine only uses it.`,
  )
}
