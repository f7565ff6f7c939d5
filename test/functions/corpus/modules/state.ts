/** A variable that others import and its module changes. */
export let level = 1

export function setLevel(value: number): void {
  level = value
}
