import { EventEmitter } from 'node:events'
import { createReadStream } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { Vector } from '../modules/maths.ts'
import type { Row } from '../row.ts'

const socket = new Socket()
const deep = { o: { a: { b: [{ s: socket }] } } }
const emitter = new EventEmitter()
const stream = Readable.from([])
const server = createServer()
const pending = Promise.resolve(1)
const weak = new WeakMap<object, number>()
const weakSet = new WeakSet<object>()
const weakRef = new WeakRef({})
const proxied = new Proxy({ a: 1 }, {})
const proxiedFunction = new Proxy((x: number) => x, {})
const unique = Symbol('unique')
const computed = { get now(): number { return 1 } }
const bySymbol = { [unique]: 1 }
const controller = new AbortController()
const timer = setTimeout(() => {}, 0)
clearTimeout(timer)
const running = (function* () { yield 1 })()
const sharedMemory = new SharedArrayBuffer(4)
const resolver: { resolve?: (value: number) => void } = {}
void new Promise<number>((resolve) => { resolver.resolve = resolve })
const boxed = Object('text') as string

class Secret {
  #code = 42
  read(): number {
    return this.#code
  }
}
const secret = new Secret()

class Holder {
  timer = timer
  n = 1
}
const holder = new Holder()

const usesSocket = (): boolean => socket.destroyed
const withPrivate = new Map([['key', secret]])

export const rows: readonly Row[] = [
  { title: 'a captured socket', make: () => () => socket.destroyed, refused: /\bsocket\b/ },
  { title: 'a socket deep inside a captured object', make: () => () => deep.o, refused: /\bdeep\d*\b.*\.o\.a\.b\[0\]\.s\b.*Socket/s },
  { title: 'a socket captured by a captured function', make: () => () => usesSocket(), refused: /\bsocket\b/ },
  { title: 'a captured event emitter', make: () => () => emitter.listenerCount('x'), refused: /\bemitter\b/ },
  { title: 'a captured stream', make: () => () => stream.readable, refused: /\bstream\b/ },
  { title: 'a captured server', make: () => () => server.listening, refused: /\bserver\b/ },
  { title: 'a stream as argument', make: () => (s: Readable) => s.readable, args: () => [createReadStream('/dev/null').on('error', () => {})], refused: /args\[0\]/ },
  { title: 'a captured promise', make: () => async () => await pending, refused: /\bpending\b/ },
  { title: 'a promise as argument', make: () => (p: unknown) => p, args: () => [Promise.resolve(1)], refused: /args\[0\].*Promise/s },
  { title: 'a promise inside an argument', make: () => (p: unknown) => p, args: () => [{ list: [Promise.resolve(1)] }], refused: /args\[0\]\.list\[0\]/ },
  { title: 'a captured WeakMap', make: () => () => weak.has({}), refused: /\bweak\b/ },
  { title: 'a captured WeakSet', make: () => () => weakSet.has({}), refused: /\bweakSet\b/ },
  { title: 'a captured WeakRef', make: () => () => weakRef.deref(), refused: /\bweakRef\b/ },
  { title: 'a captured Proxy', make: () => () => proxied.a, refused: /\bproxied\b/ },
  { title: 'a captured Proxy of a function', make: () => () => proxiedFunction(1), refused: /\bproxiedFunction\b/ },
  { title: 'a Proxy as the task', make: () => proxiedFunction, args: [1], refused: /Proxy/ },
  { title: 'a captured symbol of its own', make: () => () => typeof unique, refused: /\bunique\b/ },
  { title: 'an object with a key that is a symbol', make: () => () => Object.keys(bySymbol).length, refused: /\bbySymbol\b/ },
  { title: 'a captured object with a getter', make: () => () => computed.now, refused: /\bcomputed\b.*\bnow\b/s },
  { title: 'a captured AbortSignal', make: () => { const { signal } = controller; return () => signal.aborted }, refused: /\bsignal\b/ },
  { title: 'a captured timer', make: () => () => { clearTimeout(timer) }, refused: /\btimer\b/ },
  { title: 'a captured instance that holds a timer', make: () => () => holder.n, refused: /\bholder\d*\b.*\.timer\b/s },
  { title: 'a captured generator that runs', make: () => () => [...running], refused: /\brunning\b/ },
  { title: 'a captured iterator', make: () => { const entries = new Map([[1, 2]]).entries(); return () => [...entries] }, refused: /\bentries\b/ },
  { title: 'captured shared memory', make: () => () => sharedMemory.byteLength, refused: /\bsharedMemory\b/ },
  { title: 'a captured function that settles a promise', make: () => () => resolver.resolve?.(1), refused: /\bresolver\b.*\bresolve\b/s },
  { title: 'a captured boxed primitive', make: () => () => boxed.length, refused: /\bboxed\b/ },
  { title: 'a captured instance with private fields', make: () => () => secret.read(), refused: /\bsecret\b/ },
  { title: 'an instance with private fields deep inside', make: () => () => withPrivate.get('key')?.read(), refused: /\bwithPrivate\b/ },
  { title: 'an instance with private fields as argument', make: () => (s: Secret) => s.read(), args: () => [secret], refused: /args\[0\]/ },
  { title: 'a bound function whose receiver cannot travel', make: () => function (this: Socket) { return this.destroyed }.bind(socket), refused: /Socket/ },
  { title: 'a native function as the task', make: () => Math.max, args: [1, 2], refused: /\bmax\b/ },
  { title: 'a builtin of Node as the task', make: () => structuredClone as never, args: [1], refused: /structuredClone/ },
  { title: 'a class as the task', make: () => Vector as never, args: [1, 2], refused: /Vector/ },
  { title: 'a class that is not exported as the task', make: () => Secret as never, refused: /Secret/ },
  { title: 'no function as the task', make: () => ({ run: 1 }) as never, refused: /object/ },
  { title: 'a result that cannot come back', make: () => () => new WeakMap(), unreturnable: /WeakMap/ },
  { title: 'a result with something deep inside that cannot come back', make: () => () => ({ list: [{ p: { q: 1 }, w: new WeakSet() }] }), unreturnable: /list\[0\]\.w/ },
]
