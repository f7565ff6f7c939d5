import { once } from 'node:events'
import { type AddressInfo, connect, createServer, Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'

import { neverListen } from '../../src/worker/never-listen.ts'
import { within } from '../support/within.ts'

const { listen } = Server.prototype

afterEach(() => {
  Server.prototype.listen = listen
})

test('a server that is kept from its port serves nobody', async () => {
  neverListen()
  let served = 0
  const server = createServer(() => (served += 1))
  server.listen(80)
  await within(once(server, 'listening'), 'the server')
  const { address, port } = server.address() as AddressInfo

  const client = connect(port, address)
  await within(once(client.on('error', () => {}), 'close'), 'the connection to be closed')

  expect([address, served]).toEqual(['127.0.0.1', 0])
  expect(port).not.toBe(80)
  server.close()
})
