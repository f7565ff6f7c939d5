import { setTimeout as pause } from 'node:timers/promises'

const TIMEOUT_MS = 15_000

/** Waits until something is so in another process. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`Waited ${TIMEOUT_MS} ms for ${what}.`)
    await pause(20)
  }
}
