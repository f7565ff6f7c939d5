import type { ChunkCount } from './tasks.ts'

/** How many of the most frequent words are shown. */
const TOP = 10

/** What is told of a whole file. */
export interface Summary {
  readonly words: number
  /** The most frequent words, most frequent first. */
  readonly top: readonly { readonly word: string; readonly times: number }[]
  /** The processes that counted, and how many chunks each of them did. */
  readonly processes: readonly { readonly pid: number; readonly chunks: number }[]
}

/** Adds up what the chunks of one file hold. */
export function summarise(chunks: readonly ChunkCount[]): Summary {
  const times = new Map<string, number>()
  const processes = new Map<number, number>()
  let words = 0
  for (const chunk of chunks) {
    words += chunk.words
    add(processes, chunk.pid, 1)
    for (const [word, count] of chunk.times) add(times, word, count)
  }
  const top = [...times].sort(([a, timesOfA], [b, timesOfB]) => timesOfB - timesOfA || (a < b ? -1 : 1)).slice(0, TOP)
  return {
    words,
    top: top.map(([word, count]) => ({ word, times: count })),
    processes: [...processes].map(([pid, count]) => ({ pid, chunks: count })),
  }
}

function add<K>(sums: Map<K, number>, key: K, count: number): void {
  sums.set(key, (sums.get(key) ?? 0) + count)
}
