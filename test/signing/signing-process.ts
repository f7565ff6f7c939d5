import { openKeyRing } from '../../src/signing/key-ring.ts'
import { message } from './samples.ts'

/** A process that signs a message with the default key of each project that it is told. */
process.on('message', ({ root }: { root: string }) => {
  const keys = openKeyRing({ secretKey: undefined, secretKeyFile: undefined, secretKeyFallbacks: [], signatureLifetimeMs: 0, root, inMemory: false })
  process.send?.(keys.sign(message(), Date.now()))
})

process.send?.('ready')
