/** What a side's process is told, as JSON in its first argument. */
export interface SideInput {
  /** How many tasks to enqueue or run. */
  readonly tasks: number
  /** Port of the private Redis on 127.0.0.1; 0 for the side that runs on the embedded default. */
  readonly redisPort: number
  /** An empty folder of its own, removed afterwards. */
  readonly folder: string
  /** How many tasks a worker runs at once. */
  readonly concurrency: number
  /** The pool of our own workers. */
  readonly pool: PoolName
}

/** The pools of ours that are measured. */
export type PoolName = 'async' | 'prefork'

/** What one run of a side found, by name; units are in the names. */
export type Figures = Readonly<Record<string, number>>

/** Runs a side's measurement and prints its figures as one JSON line, the last one it prints. */
export async function runAsSide(measure: (input: SideInput) => Promise<Figures>): Promise<void> {
  const figures = await measure(JSON.parse(process.argv[2] ?? '{}') as SideInput)
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}

/** Calls `submit(i)` for every `i` below `count`, `inFlight` of them together. */
export async function submitMany(count: number, inFlight: number, submit: (i: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += inFlight) {
    const length = Math.min(inFlight, count - from)
    await Promise.all(Array.from({ length }, (_, offset) => submit(from + offset)))
  }
}

/**
 * Resolves when `isTrue` is, asked every few milliseconds.
 *
 * Both sides are watched this way: listening to 20,000 completions would cost the machine more than the
 * work that is measured.
 */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, timeoutMs: number = 120_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`${what} did not happen within ${timeoutMs / 1000} s.`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
