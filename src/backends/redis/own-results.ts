import type { Clock } from '../../internal/clock.ts'
import type { PatternListener } from '../../internal/redis/subscriber.ts'
import { PROCESS_MARK } from '../../protocol/task-id.ts'
import type { ResultKeys } from './keys.ts'
import type { Kept } from './result-form.ts'

/** Results that nobody waits for, beyond as many that somebody does, until each task has a channel of its own again. */
const MOST_IN_VAIN = 100

/** How long it then stays so. */
const PAUSE_MS = 10_000

/** What is used of a subscriber. */
export interface PatternSubscriber {
  subscribePattern(pattern: string, listener: PatternListener<Kept>): Promise<() => void>
}

/** What {@link OwnResults} needs. */
export interface OwnResultsOptions {
  readonly subscriber: PatternSubscriber
  readonly keys: ResultKeys
  readonly clock: Clock
  /** Takes what was published for a task; whether anybody waits for it. */
  readonly hear: (id: string, kept: Kept) => boolean
  /** Nothing is covered any more. */
  readonly onEnd: () => void
}

/**
 * The results of all tasks that this process has sent, by one subscription: a channel for each costs the server, and us, as much as
 * sending the task.
 *
 * A process that sends many and waits for few would be told of all, so it ends when most are told in vain, for a while.
 */
export class OwnResults {
  readonly #options: OwnResultsOptions
  #state: 'off' | 'asking' | 'on' = 'off'
  #end: (() => void) | undefined
  #pausedUntilMs = -Infinity
  #inVain = 0

  constructor(options: OwnResultsOptions) {
    this.#options = options
  }

  /** Whether what is published for a task from now on is heard without a channel of its own. What is not may soon be. */
  covers(id: string): boolean {
    if (!id.endsWith(PROCESS_MARK)) return false
    if (this.#state === 'off' && this.#options.clock.now() >= this.#pausedUntilMs) void this.#begin()
    return this.#state === 'on'
  }

  async #begin(): Promise<void> {
    const { keys, subscriber } = this.#options
    this.#state = 'asking'
    try {
      this.#end = await subscriber.subscribePattern(keys.tasksEndingIn(PROCESS_MARK), {
        hear: (kept, channel) => this.#heard(keys.idOf(channel), kept),
        ended: () => this.#pause(),
      })
      this.#inVain = 0
      this.#state = 'on'
    } catch {
      // The connection is lost, or the user may hear single channels only; those say so.
      this.#pause()
    }
  }

  #heard(id: string, kept: Kept): void {
    if (this.#options.hear(id, kept)) {
      if (this.#inVain > 0) this.#inVain -= 1
      return
    }
    this.#inVain += 1
    if (this.#inVain <= MOST_IN_VAIN || this.#state !== 'on') return
    this.#end?.()
    this.#pause()
  }

  #pause(): void {
    const wasOn = this.#state === 'on'
    this.#state = 'off'
    this.#pausedUntilMs = this.#options.clock.now() + PAUSE_MS
    if (wasOn) this.#options.onEnd()
  }
}
