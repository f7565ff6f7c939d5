/** A way to tell one running task to stop. The signal is made when the task first asks for it: few do. */
export class Stopper {
  #controller: AbortController | undefined
  #reason: Error | undefined

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  stop(reason: Error): void {
    this.#reason ??= reason
    this.#controller?.abort(reason)
  }
}
