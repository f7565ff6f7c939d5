/** `Symbol.iterator` and its like by name. */
const WELL_KNOWN: ReadonlyMap<string, symbol> = new Map(
  Object.getOwnPropertyNames(Symbol).flatMap((name) => {
    const value: unknown = Reflect.get(Symbol, name)
    return typeof value === 'symbol' ? [[name, value] as const] : []
  }),
)

/** The name of a well-known symbol: `iterator`. */
export function wellKnownName(symbol: symbol): string | undefined {
  for (const [name, known] of WELL_KNOWN) if (known === symbol) return name
  return undefined
}

/** The well-known symbol of that name. */
export function wellKnownSymbol(name: string): symbol | undefined {
  return WELL_KNOWN.get(name)
}
