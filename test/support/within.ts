/** Resolves as `promise` does, or rejects after `ms` saying what was waited for. */
export async function within<T>(promise: Promise<T>, what: string, ms = 5_000): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`Waited ${ms} ms for ${what}.`)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Lets everything run that can run by now. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
