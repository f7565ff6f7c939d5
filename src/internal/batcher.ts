/**
 * Gathers what is added in one turn of the event loop and hands it over together.
 *
 * Many small messages cost as much as one large one to a pipe, so this is what makes short tasks cheap.
 */
export class Batcher<T> {
  readonly #deliver: (items: T[]) => void
  #items: T[] = []

  constructor(deliver: (items: T[]) => void) {
    this.#deliver = deliver
  }

  add(item: T): void {
    if (this.#items.push(item) === 1) setImmediate(() => this.flush())
  }

  /** Hands over now what has been added so far. */
  flush(): void {
    if (this.#items.length === 0) return
    const items = this.#items
    this.#items = []
    this.#deliver(items)
  }
}
