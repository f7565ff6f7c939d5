/** A place in a text, both counted from 0. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** What V8 counts as the end of a line. */
const LINE_END = /\r\n|[\n\r\u2028\u2029]/g

/** The last text asked for: places of one script are asked for in a row. */
let last: { readonly text: string; readonly starts: readonly number[] } | undefined

/** The offset of a place in a text. */
export function offsetOf(text: string, { line, column }: Position): number {
  return (lineStarts(text)[line] ?? 0) + column
}

/** The place of an offset in a text. */
export function positionOf(text: string, offset: number): Position {
  const starts = lineStarts(text)
  let line = 0
  let end = starts.length
  while (end - line > 1) {
    const middle = (line + end) >> 1
    if ((starts[middle] ?? 0) <= offset) line = middle
    else end = middle
  }
  return { line, column: Math.max(0, offset) - (starts[line] ?? 0) }
}

/** How often a line ends in a text. */
export function countLines(text: string): number {
  return text.match(LINE_END)?.length ?? 0
}

function lineStarts(text: string): readonly number[] {
  if (last?.text !== text) last = { text, starts: [0, ...Array.from(text.matchAll(LINE_END), (end) => end.index + end[0].length)] }
  return last.starts
}
