/**
 * Gathers what is added in one turn of the event loop and hands it over together.
 *
 * Many small messages cost as much as one large one to a pipe, so this is what makes short tasks cheap.
 */
export class Batcher<T> {
  readonly #deliver: (items: T[]) => void
  #items: T[] = []
  #scheduled: NodeJS.Immediate | undefined

  constructor(deliver: (items: T[]) => void) {
    this.#deliver = deliver
  }

  add(item: T): void {
    if (this.#items.push(item) === 1) this.#scheduled = setImmediate(() => this.flush())
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
