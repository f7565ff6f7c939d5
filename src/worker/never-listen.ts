import { Server } from 'node:net'

import { currentTask } from '../current.ts'

/**
 * Keeps modules that are loaded for their tasks from opening the application's port a second time.
 *
 * A server that starts to listen while no task runs gets a free port of the loopback interface in place
 * of the one it asked for, and does not keep the process alive: its callbacks and promises go on as usual,
 * and nobody meets EADDRINUSE. It serves nobody: every connection is closed at once. A task may listen
 * wherever it likes.
 */
export function neverListen(): void {
  const { listen } = Server.prototype as { listen: (this: Server, ...args: unknown[]) => Server }
  Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
    if (currentTask() !== undefined) return listen.apply(this, args)
    const listening = args.at(-1)
    const server = listen.call(this, { host: '127.0.0.1', port: 0 }, ...(typeof listening === 'function' ? [listening] : []))
    server.unref()
    server.maxConnections = 0
    return server
  } as typeof Server.prototype.listen
}
