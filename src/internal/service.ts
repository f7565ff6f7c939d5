/**
 * Work that runs until it is told to stop: the same contract for every loop and process of ours.
 *
 * `start` may be called once; `stop` may be called at any time, before `start`, twice, or while starting,
 * and resolves when nothing of the service is left: no timer, socket or child process.
 */
export interface Service {
  start(): Promise<void>
  stop(): Promise<void>
}
