import type { Future, Progress } from '../../src/index.ts'

/** Resolves to the first state of a task that is one of `states`, with what it reported. Ends when the task does. */
export async function untilState(future: Future<unknown>, ...states: string[]): Promise<Progress> {
  for await (const progress of future.progress({ timeout: 10 })) if (states.includes(progress.state)) return progress
  throw new Error(`Waited for ${future.id} to be ${states.join(' or ')}, and it ended as ${future.lastState}`)
}
