/** How a {@link TurnBatch} sends. */
export interface TurnBatchOptions {
  /**
   * For what nobody is in a hurry for: sends when so many milliseconds are over, or earlier when it is told to, and one batch at a time.
   * What is added while one is under way goes with the next.
   */
  readonly gatherMs?: number
}

/** Gathers what is added before the next callback and sends it together; all who added something share its outcome. */
export class TurnBatch<T> {
  readonly #send: (items: T[]) => Promise<unknown>
  readonly #gatherMs: number | undefined
  #items: T[] = []
  #sent: PromiseWithResolvers<void> | undefined
  #sending = 0
  #timer: NodeJS.Timeout | undefined

  constructor(send: (items: T[]) => Promise<unknown>, { gatherMs }: TurnBatchOptions = {}) {
    this.#send = send
    this.#gatherMs = gatherMs
  }

  /** Resolves when the batch that the item is in was done. */
  add(item: T): Promise<void> {
    this.#items.push(item)
    if (this.#sent === undefined) {
      this.#sent = Promise.withResolvers<void>()
      if (this.#gatherMs === undefined) process.nextTick(() => this.flush())
      else this.#timer ??= setTimeout(() => this.flush(), this.#gatherMs)
    }
    return this.#sent.promise
  }

  /** Sends now what has been added so far. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#sent === undefined || (this.#gatherMs !== undefined && this.#sending > 0)) return
    const { resolve, reject } = this.#sent
    const items = this.#items
    this.#items = []
    this.#sent = undefined
    this.#sending += 1
    this.#send(items)
      .finally(() => {
        this.#sending -= 1
        if (this.#gatherMs !== undefined && this.#timer === undefined) this.flush()
      })
      .then(() => resolve(), reject)
  }
}

/** Parts of at most `most` items. */
export function inParts<T>(items: readonly T[], most: number): (readonly T[])[] {
  if (items.length <= most) return [items]
  return Array.from({ length: Math.ceil(items.length / most) }, (_, index) => items.slice(index * most, (index + 1) * most))
}
