import { editDistance } from '../internal/edit-distance.ts'

/** Names among `known` that a reader may have meant by `given`, the closest first, at most three. */
export function nearestNames(given: string, known: Iterable<string>): string[] {
  const limit = Math.max(2, Math.floor(given.length / 3))
  return [...known]
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name)
}
