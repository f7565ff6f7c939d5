
/** Where a {@link PushIterator} gets its items from. */
export interface Sink<T> {
  /** Hands over an item. With `replace`, it takes the place of those that nobody has taken yet. */
  put(item: T, options?: { replace?: boolean }): void
  /** No item follows. Those that wait are still delivered. */
  end(): void
  fail(error: unknown): void
}

/**
 * Turns pushed items into an async iterable.
 *
 * `begin` runs at the first `next` and returns what ends it; that is called when the consumer breaks, even
 * while a `next` of it is open, which an async generator would leave waiting.
 */
export class PushIterator<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #begin: (sink: Sink<T>) => () => void
  #stop: (() => void) | undefined
  #items: T[] = []
  #taken = 0
  #open: PromiseWithResolvers<IteratorResult<T, undefined>>[] = []
  #ended = false
  #fault: { error: unknown } | undefined

  constructor(begin: (sink: Sink<T>) => () => void) {
    this.#begin = begin
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#stop && !this.#ended) {
      try {
        this.#stop = this.#begin({ put: (item, options) => this.#put(item, options), end: () => this.#end(), fail: (error) => this.#fail(error) })
      } catch (error) {
        this.#fail(error)
      }
    }

    const request = Promise.withResolvers<IteratorResult<T, undefined>>()
    this.#open.push(request)
    this.#serve()
    return request.promise
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#items = []
    this.#taken = 0
    this.#fault = undefined
    this.#end()
    this.#stop?.()
    return Promise.resolve({ done: true, value: undefined })
  }

  #put(item: T, options?: { replace?: boolean }): void {
    if (this.#ended) return
    if (options?.replace) {
      this.#items = []
      this.#taken = 0
    }
    this.#items.push(item)
    this.#serve()
  }

  #end(): void {
    this.#ended = true
    this.#serve()
  }

  #fail(error: unknown): void {
    this.#fault = { error }
    this.#end()
  }

  #serve(): void {
    while (this.#open.length > 0 && (this.#taken < this.#items.length || this.#ended)) {
      const request = this.#open.shift()
      if (this.#taken < this.#items.length) request?.resolve({ done: false, value: this.#items[this.#taken++] as T })
      else if (this.#fault) {
        request?.reject(this.#fault.error)
        this.#fault = undefined
      } else request?.resolve({ done: true, value: undefined })
    }
  }
}
