/** Reads a property of something that may be hostile or broken: a getter or proxy that throws gives undefined. */
export function readProperty(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}
