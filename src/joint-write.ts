/**
 * A write to a store that a driver of the same store can make inside a commit of its own, so that both are
 * done or neither is, for the price of one.
 */
export interface JointWrite {
  /** The open store, by identity: only a driver of this very object may make the write. */
  readonly storage: object
  /** Makes the write, inside the driver's commit. It may be called again when that commit did not come about. */
  make(): void
}
