/** A closure over one variable, in a module with nothing else: what else is in scope, V8 reads as well. */
export function multiplier(factor: number): (x: number) => number {
  return (x) => x * factor
}
