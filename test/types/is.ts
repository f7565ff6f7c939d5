/** Compiles only when the value has exactly this type; `any` is no type. */
export function is<Expected>(): <Actual>(value: Actual, ...same: Same<Expected, Actual>) => void {
  return () => {}
}

/** Assignable both ways. Identity would also tell labels of tuples apart. */
type Same<A, B> = [A, B] extends [B, A] ? (0 extends 1 & B ? [{ readonly got: 'any' }] : []) : [{ readonly expected: A; readonly got: B }]
