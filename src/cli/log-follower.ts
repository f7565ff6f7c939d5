import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

import type { Clock, Timer } from '../internal/clock.ts'

/** What to follow, and who gets it. */
export interface LogFollowerOptions {
  readonly path: string
  readonly clock: Clock
  readonly onLine: (line: string) => void
}

/** Other processes write the file, and not every system can watch one that does not exist yet. */
const LOOK_EVERY_MS = 100
const CHUNK_BYTES = 65_536

/** Hands over the lines that others append to a file. Keeps the process alive until it is stopped. */
export class LogFollower {
  readonly #options: LogFollowerOptions
  #decoder = new StringDecoder('utf8')
  #position: number
  #rest = ''
  #timer: Timer | undefined

  constructor(options: LogFollowerOptions) {
    this.#options = options
    this.#position = sizeOf(options.path)
  }

  /** Follows what is appended after this follower was made. */
  start(): void {
    this.#read()
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => this.start(), { keepAlive: true })
  }

  /** Hands over what is there by now, and ends. */
  stop(): void {
    this.#timer?.cancel()
    this.#read()
    if (this.#rest !== '') this.#options.onLine(this.#rest)
    this.#rest = ''
  }

  #read(): void {
    const fd = openOrUndefined(this.#options.path)
    if (fd === undefined) return
    try {
      // A file that shrank was rotated: it begins anew.
      if (fstatSync(fd).size < this.#position) this.#position = 0
      const chunk = Buffer.alloc(CHUNK_BYTES)
      for (;;) {
        const count = readSync(fd, chunk, 0, CHUNK_BYTES, this.#position)
        if (count === 0) return
        this.#position += count
        this.#take(this.#decoder.write(chunk.subarray(0, count)))
      }
    } finally {
      closeSync(fd)
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    lines.forEach(this.#options.onLine)
  }
}

function sizeOf(path: string): number {
  const fd = openOrUndefined(path)
  if (fd === undefined) return 0
  const { size } = fstatSync(fd)
  closeSync(fd)
  return size
}

function openOrUndefined(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}
