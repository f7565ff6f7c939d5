import type { Command } from '../control/mailbox.ts'
import type { Pool } from '../pool.ts'
import type { RevokedTasks } from './revoked.ts'

/** How long a task that is terminated may heed its abort signal before it is killed. */
const TERMINATE_GRACE_MS = 250

/** What commands need of the worker. */
export interface Commanded {
  readonly pool: Pool
  readonly revoked: RevokedTasks
  /** How many messages were refused since the worker started, by reason. */
  readonly refused: ReadonlyMap<string, number>
}

/**
 * Carries out a remote command and gives the reply, in Celery's shape: `{ ok: … }` or `{ error: … }`.
 * @see Celery `celery/worker/control.py`
 */
export async function runCommand(command: Command, worker: Commanded): Promise<unknown> {
  switch (command.method) {
    case 'ping':
      return { ok: 'pong' }
    case 'stats':
      return { pid: process.pid, refused: Object.fromEntries(worker.refused) }
    case 'revoke':
      return revoke(command.arguments, worker)
    default:
      return { error: `Unknown control command ${command.method}` }
  }
}

function revoke(args: Readonly<Record<string, unknown>>, { pool, revoked }: Commanded): unknown {
  const given = args['task_id']
  const ids = (Array.isArray(given) ? given : [given]).filter((id) => typeof id === 'string')
  const grace = args['signal'] === 'SIGKILL' ? 0 : TERMINATE_GRACE_MS
  for (const id of ids) {
    // One that waits in the pool may just have begun, so who wants it ended must be able to end it by force.
    const ended = args['terminate'] === true ? pool.terminate(id, grace) : pool.withdraw(id)
    // A task that is ended here is not to be refused later: its id may be retried by hand.
    if (!ended) revoked.add(id)
  }
  return { ok: `tasks ${ids.join(', ')} flagged as revoked` }
}
