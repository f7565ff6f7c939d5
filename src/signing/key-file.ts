import { randomBytes, randomUUID } from 'node:crypto'
import { type BigIntStats, closeSync, constants, existsSync, fstatSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { ImproperlyConfigured } from '../errors.ts'
import { ignoreExisting, makeOwnFolder } from '../internal/own-folder.ts'

/** Which file a {@link KeyFile} reads. */
export interface KeyFileOptions {
  readonly path: string
  /** Folder of the project: nothing is made where it has gone. */
  readonly root: string
  /** Nobody named it: it is made when it is missing. */
  readonly isDefault: boolean
}

const LEAST_KEY_LENGTH = 16
const LARGEST_FILE = 65_536
const HEADER = '# Signs the messages of this application: whoever has a key can run code in its workers. The first signs, all are accepted.\n'

/**
 * A file of secret keys, one per line; blank lines and `#` comments are passed over.
 *
 * Only its owner may read it, and that must be who runs this process, or root.
 */
export class KeyFile {
  readonly #options: KeyFileOptions
  #texts: readonly string[] = []
  #version = ''

  constructor(options: KeyFileOptions) {
    this.#options = options
  }

  /**
   * The keys if they are not those of the last call. Makes the default file with those of the last call, or a new one.
   * @throws {@link ImproperlyConfigured} when it is missing, unsafe or holds no usable key.
   */
  look(): readonly string[] | undefined {
    try {
      return this.#read(this.#open())
    } catch (error) {
      if (error instanceof ImproperlyConfigured) throw error
      throw unusable(this.#options.path, `cannot be used: ${String(error)}. Set CELERY_SECRET_KEY, or CELERY_SECRET_KEY_FILE to a file that can be read.`, error)
    }
  }

  #open(): number {
    const { path, root, isDefault } = this.#options
    const found = openIfThere(path)
    if (found !== undefined) return found
    if (isDefault && existsSync(root)) makeKeyFile(path, this.#texts.length > 0 ? this.#texts : [randomBytes(32).toString('hex')])
    const made = openIfThere(path)
    if (made !== undefined) return made
    throw unusable(path, `does not exist. Write a key into it, e.g. with: (umask 077; openssl rand -hex 32 > ${path})`)
  }

  #read(file: number): readonly string[] | undefined {
    try {
      const stats = fstatSync(file, { bigint: true })
      const version = [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join()
      if (version === this.#version) return undefined
      assertSafe(this.#options.path, stats)
      this.#texts = keysIn(this.#options.path, readFileSync(file, 'utf8'))
      this.#version = version
      return this.#texts
    } finally {
      closeSync(file)
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    // A pipe in its place would hold up the process for ever.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Complete from its first moment, and never in the place of another: of processes that start at once one makes it for all. */
function makeKeyFile(path: string, texts: readonly string[]): void {
  makeOwnFolder(dirname(path))
  const draft = `${path}.${randomUUID()}`
  try {
    const file = openSync(draft, 'wx', 0o600)
    try {
      writeSync(file, HEADER + texts.map((text) => `${text}\n`).join(''))
    } finally {
      closeSync(file)
    }
    ignoreExisting(() => linkSync(draft, path))
  } finally {
    rmSync(draft, { force: true })
  }
}

function assertSafe(path: string, stats: BigIntStats): void {
  if (!stats.isFile()) throw unusable(path, 'is not a regular file. Name one with "secretKeyFile".')
  if (stats.size > LARGEST_FILE) throw unusable(path, `has ${stats.size} bytes, more than ${LARGEST_FILE}; expected is one key per line.`)
  // Windows has neither owners nor modes of this kind.
  const user = process.geteuid?.()
  if (user === undefined) return
  if (stats.uid !== 0n && Number(stats.uid) !== user) {
    const wanted = `expected is user ${user}, who runs this process, or root`
    throw unusable(path, `belongs to user ${stats.uid}, who could change it; ${wanted}. Run: chown ${user} ${path}`)
  }
  if ((stats.mode & 0o077n) !== 0n) {
    const mode = (stats.mode & 0o777n).toString(8)
    throw unusable(path, `has the mode ${mode}, so that others than its owner get at it and could run code in your workers. Run: chmod 600 ${path}`)
  }
}

function keysIn(path: string, contents: string): readonly string[] {
  const lines = contents.split('\n').map((line) => line.trim())
  const keys = lines.filter(isKey)
  if (keys.length === 0) throw unusable(path, `holds no key. Make one with: openssl rand -hex 32 > ${path}`)
  const short = lines.findIndex((line) => isKey(line) && line.length < LEAST_KEY_LENGTH)
  if (short === -1) return keys
  const found = `has a key of ${lines[short]?.length ?? 0} characters in line ${short + 1}`
  throw unusable(path, `${found}; expected are at least ${LEAST_KEY_LENGTH}. Make one with: openssl rand -hex 32`)
}

function isKey(line: string): boolean {
  return line !== '' && !line.startsWith('#')
}

function unusable(path: string, why: string, cause?: unknown): ImproperlyConfigured {
  return new ImproperlyConfigured([`The key file ${path} ${why}`], cause === undefined ? {} : { cause })
}
