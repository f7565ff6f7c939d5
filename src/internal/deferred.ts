/** A promise with its two handles outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(reason: unknown): void
}

/** Makes a {@link Deferred}. */
export function deferred<T = void>(): Deferred<T> {
  return Promise.withResolvers<T>()
}
