/**
 * Gathers what is added in one turn of the event loop, or before the next callback of it, and hands it over together.
 *
 * Many small messages cost as much as one large one to a pipe, so this is what makes short tasks cheap.
 */
export class Batcher<T> {
  readonly #deliver: (items: T[]) => void
  readonly #until: 'turn' | 'callback'
  #items: T[] = []
  #scheduled: NodeJS.Immediate | undefined

  constructor(deliver: (items: T[]) => void, until: 'turn' | 'callback' = 'turn') {
    this.#deliver = deliver
    this.#until = until
  }

  add(item: T): void {
    if (this.#items.push(item) > 1) return
    if (this.#until === 'turn') this.#scheduled = setImmediate(() => this.flush())
    else process.nextTick(() => this.flush())
  }

  /** Hands over now what has been added so far. */
  flush(): void {
    if (this.#items.length === 0) return
    // One that is still to come would cut what is added next in two.
    clearImmediate(this.#scheduled)
    const items = this.#items
    this.#items = []
    this.#deliver(items)
  }
}
