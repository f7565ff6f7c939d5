import { ClosedError, OperationalError } from '../errors.ts'

/** What an {@link Opened} opens, and how. */
export interface Openable<T> {
  /** For error messages, with a capital letter and its URL. */
  readonly name: string
  readonly open: () => Promise<T>
  readonly close: (opened: T) => Promise<void>
}

/** Something that is opened once, however many ask, and closed once, for good. */
export class Opened<T> {
  readonly #openable: Openable<T>
  #opening: Promise<void> | undefined
  #opened: T | undefined
  #closing: Promise<void> | undefined

  constructor(openable: Openable<T>) {
    this.#openable = openable
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  connect(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError())
    this.#opening ??= this.#open().catch((error: unknown) => {
      // A later call tries again.
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  /** What was opened. Throws when it is not open. */
  get(): T {
    if (this.#closing !== undefined) throw this.#closedError()
    if (this.#opened === undefined) throw new OperationalError(`${this.#openable.name} is not connected. Call connect() first.`)
    return this.#opened
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #open(): Promise<void> {
    this.#opened = await this.#openable.open()
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => {})
    if (this.#opened !== undefined) await this.#openable.close(this.#opened)
    this.#opened = undefined
  }

  #closedError(): ClosedError {
    return new ClosedError(`${this.#openable.name} was closed. Open another one.`)
  }
}
