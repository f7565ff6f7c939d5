import type { Clock, Timer } from '../../internal/clock.ts'
import type { Logger } from '../../internal/logger.ts'
import { isGone, thisProcess } from '../../internal/process-identity.ts'
import type { Service } from '../../internal/service.ts'
import type { Database } from '../../internal/sqlite/database.ts'
import type { Child, ConsumerRow, Consumers } from './consumers.ts'
import type { Messages } from './messages.ts'

const INTERVAL_MS = 1000

/** A pause between two rounds that only a sleeping machine or a frozen process explains. */
const SLEPT_MS = 5000

/** How long a killed child may take to be gone, and how often that is looked at. */
const KILL_TIMEOUT_MS = 2000
const KILL_LOOK_MS = 5

/** Puts back the messages of consumers that died, after ending the processes that may still run them. */
export class Recoverer implements Service {
  readonly #database: Database
  readonly #messages: Messages
  readonly #consumers: Consumers
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #leaseMs: number
  #lastRoundAtMs: number | undefined
  #trustLeasesAtMs = 0
  #timer: Timer | undefined
  #round: Promise<void> | undefined
  #stopped = false

  constructor(parts: { database: Database; messages: Messages; consumers: Consumers; clock: Clock; logger: Logger; leaseMs: number }) {
    this.#database = parts.database
    this.#messages = parts.messages
    this.#consumers = parts.consumers
    this.#clock = parts.clock
    this.#logger = parts.logger
    this.#leaseMs = parts.leaseMs
  }

  /** Recovers once, then every second. */
  async start(): Promise<void> {
    if (this.#stopped) return
    this.#round = this.#recover()
    await this.#round
    this.#scheduleNext()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#round
  }

  #scheduleNext(): void {
    if (this.#stopped) return
    this.#timer = this.#clock.after(INTERVAL_MS, () => {
      this.#round = this.#recover().then(() => this.#scheduleNext())
    })
  }

  async #recover(): Promise<void> {
    try {
      const byLease = this.#mayTrustLeases()
      const dead = await this.#database.read(() => this.#consumers.dead(byLease))
      for (const consumer of dead) await this.#recoverFrom(consumer)
    } catch (error) {
      this.#logger.warn({ err: error }, 'Messages of dead consumers could not be put back yet')
    }
  }

  /** After this machine slept, every lease has run out though nobody died: the others get time to renew theirs. */
  #mayTrustLeases(): boolean {
    const now = this.#clock.now()
    if (this.#lastRoundAtMs !== undefined && now - this.#lastRoundAtMs > SLEPT_MS) this.#trustLeasesAtMs = now + this.#leaseMs / 2
    this.#lastRoundAtMs = now
    return now >= this.#trustLeasesAtMs
  }

  async #recoverFrom(consumer: ConsumerRow): Promise<void> {
    // Ended first: otherwise the same task would run twice at once, here and in the child that outlived its worker.
    const ended = consumer.machine !== thisProcess().machine || (await endChildren(JSON.parse(consumer.children) as Child[]))
    if (!ended) {
      this.#logger.warn({ consumer: consumer.name }, 'A child process of a dead worker does not end, its messages stay out until it does')
      return
    }
    const count = await this.#database.write(() => (this.#consumers.removeIfUnchanged(consumer) ? this.#messages.giveBack(consumer.id, true) : undefined))
    if (count !== undefined) this.#logger.info({ consumer: consumer.name, pid: consumer.pid, messages: count }, 'Put back the messages of a consumer that died')
  }
}

async function endChildren(children: readonly Child[]): Promise<boolean> {
  // Without a start time the pid may be anybody's by now.
  const alive = children.filter(([pid, started]) => started !== null && !isGone(pid, started) && kill(pid))
  const deadlineMs = performance.now() + KILL_TIMEOUT_MS
  while (alive.some(([pid, started]) => !isGone(pid, started))) {
    if (performance.now() > deadlineMs) return false
    await new Promise((resolve) => setTimeout(resolve, KILL_LOOK_MS))
  }
  return true
}

/** False when the process is not ours to end. */
function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
