import { EXIT } from './exit-codes.ts'

/** What signals ask a command that runs until it is stopped to do. */
export interface StopRequests {
  /** The first SIGINT or SIGTERM: end what runs in peace. */
  warm(): void
  /** The next one, or SIGQUIT: end at once. */
  cold(): void
}

/** While nothing runs yet there is nothing to end in peace. */
const LEAVE: StopRequests = { warm: () => process.exit(0), cold: () => process.exit(EXIT.failure) }

/**
 * Listens to the signals that stop a command, for as long as the process lives; each request is made once.
 *
 * A signal ends the process until the function that this returns has named who is to be asked instead.
 */
export function onStopSignals(): (requests: StopRequests) => void {
  let asked: 'nothing' | 'warm' | 'cold' = 'nothing'
  let requests = LEAVE
  const cold = (): void => {
    if (asked === 'cold') return
    asked = 'cold'
    requests.cold()
  }
  const warm = (): void => {
    if (asked !== 'nothing') return cold()
    asked = 'warm'
    requests.warm()
  }
  process.on('SIGINT', warm)
  process.on('SIGTERM', warm)
  process.on('SIGQUIT', cold)
  return (next) => {
    requests = next
  }
}
