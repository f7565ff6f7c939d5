/** What means something in a glob pattern. */
const GLOB = /[\\*?[\]^-]/g

/** Where Celery's Redis backend keeps what, so that Python finds it. Channels have the names of the keys. */
export class ResultKeys {
  readonly #prefix: string

  /** `prefix` goes in front of every key; it is used as it is. */
  constructor(prefix: string = '') {
    this.#prefix = prefix
  }

  task(id: string): string {
    return `${this.#prefix}celery-task-meta-${id}`
  }

  /** The glob pattern of the channels of all tasks whose ids end so. */
  tasksEndingIn(mark: string): string {
    return `${this.#prefix.replaceAll(GLOB, '\\$&')}celery-task-meta-*${mark}`
  }

  /** The id of the task that a channel is of. */
  idOf(channel: string): string {
    return channel.slice(this.task('').length)
  }

  /** `part` is one of a chord's: its parts, its size, or how many members were added later. */
  group(id: string, part: '' | '.j' | '.s' | '.t' = ''): string {
    return `${this.#prefix}celery-taskset-meta-${id}${part}`
  }

  /** The glob pattern that all of them match. */
  get pattern(): string {
    return `${this.#prefix.replaceAll(GLOB, '\\$&')}celery-task*`
  }
}
