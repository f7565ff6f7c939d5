/** What one chunk of text holds. */
export interface ChunkCount {
  readonly words: number
  /** Every word of the chunk, and how often it stands there. */
  readonly times: readonly (readonly [word: string, times: number])[]
  /** The process that counted. */
  readonly pid: number
}

/** Counts the words of a text: runs of anything but ASCII white space. */
export function countWords(text: string): ChunkCount {
  const times = new Map<string, number>()
  let words = 0
  for (const [word] of text.matchAll(/[^ \t\n\v\f\r]+/g)) {
    words += 1
    times.set(word, (times.get(word) ?? 0) + 1)
  }
  return { words, times: [...times], pid: process.pid }
}
