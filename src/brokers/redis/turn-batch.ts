/** How a {@link TurnBatch} sends. */
export interface TurnBatchOptions {
  /** Sends one batch at a time: what is added meanwhile waits for the reply and goes together. For what nobody is in a hurry for. */
  readonly oneAtATime?: boolean
}

/** Gathers what is added in one turn of the event loop and sends it together; all who added something share its outcome. */
export class TurnBatch<T> {
  readonly #send: (items: T[]) => Promise<unknown>
  readonly #oneAtATime: boolean
  #items: T[] = []
  #sent: PromiseWithResolvers<void> | undefined
  #sending = 0

  constructor(send: (items: T[]) => Promise<unknown>, { oneAtATime = false }: TurnBatchOptions = {}) {
    this.#send = send
    this.#oneAtATime = oneAtATime
  }

  /** Resolves when the batch that the item is in was done. */
  add(item: T): Promise<void> {
    this.#items.push(item)
    if (this.#sent === undefined) {
      this.#sent = Promise.withResolvers<void>()
      if (!this.#mustWait) process.nextTick(() => this.#flush())
    }
    return this.#sent.promise
  }

  get #mustWait(): boolean {
    return this.#oneAtATime && this.#sending > 0
  }

  #flush(): void {
    const { resolve, reject } = this.#sent as PromiseWithResolvers<void>
    const items = this.#items
    this.#items = []
    this.#sent = undefined
    this.#sending += 1
    this.#send(items)
      .finally(() => {
        this.#sending -= 1
        if (this.#oneAtATime && this.#sent !== undefined) this.#flush()
      })
      .then(() => resolve(), reject)
  }
}

/** Parts of at most `most` items. */
export function inParts<T>(items: readonly T[], most: number): (readonly T[])[] {
  if (items.length <= most) return [items]
  return Array.from({ length: Math.ceil(items.length / most) }, (_, index) => items.slice(index * most, (index + 1) * most))
}
