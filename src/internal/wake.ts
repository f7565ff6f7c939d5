import { closeSync, openSync, watch, writeSync, type FSWatcher } from 'node:fs'

const ONE_BYTE = new Uint8Array([1])

/**
 * Tells other processes of this machine that something changed, through a small file they watch.
 *
 * It is a hint: an event may be lost or come twice, so a listener looks at the store itself, and whoever
 * waits also looks now and then without being told.
 */
export class Wake {
  readonly #path: string
  #descriptor: number | undefined
  #watcher: FSWatcher | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Wakes every process that watches. Costs a few microseconds, and never throws. */
  touch(): void {
    try {
      this.#descriptor ??= openSync(this.#path, 'a+', 0o600)
      writeSync(this.#descriptor, ONE_BYTE, 0, 1, 0)
    } catch {
      // The waiters look by themselves soon enough.
    }
  }

  /** Calls `listener` after each touch by any process. False when the system cannot watch files here. */
  watch(listener: () => void): boolean {
    try {
      // Opened first: only a file that exists can be watched. Opening for append never changes it.
      this.#descriptor ??= openSync(this.#path, 'a+', 0o600)
      this.#watcher = watch(this.#path, { persistent: false }, listener)
      this.#watcher.on('error', () => this.unwatch())
      return true
    } catch {
      this.unwatch()
      return false
    }
  }

  /** Ends `watch`. */
  unwatch(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  close(): void {
    this.unwatch()
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}
