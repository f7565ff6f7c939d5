import { runInNewContext } from 'node:vm'

/** What Node adds to the globals of JavaScript, in any version that we run on, and with its options. */
const OF_NODE =
  'AbortController AbortSignal Blob BroadcastChannel Buffer ByteLengthQueuingStrategy CloseEvent CompressionStream CountQueuingStrategy ' +
  'Crypto CryptoKey CustomEvent DOMException DecompressionStream ErrorEvent Event EventSource EventTarget File FormData Headers ' +
  'MessageChannel MessageEvent MessagePort Navigator Performance PerformanceEntry PerformanceMark PerformanceMeasure ' +
  'PerformanceObserver PerformanceObserverEntryList PerformanceResourceTiming QuotaExceededError ReadableByteStreamController ' +
  'ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader ' +
  'Request Response Storage SubtleCrypto TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream ' +
  'TransformStreamDefaultController URL URLPattern URLSearchParams WebAssembly WebSocket WritableStream ' +
  'WritableStreamDefaultController WritableStreamDefaultWriter atob btoa clearImmediate clearInterval clearTimeout console crypto ' +
  'fetch gc global localStorage navigator performance process queueMicrotask sessionStorage setImmediate setInterval setTimeout ' +
  'structuredClone'

let names: ReadonlySet<string> | undefined

/** The names of the globals that JavaScript and Node define, whatever a program has added to them. */
export function standardGlobals(): ReadonlySet<string> {
  // A fresh realm has what this V8 knows, and nothing of the program's.
  names ??= new Set([...(runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[]), ...OF_NODE.split(' ')])
  return names
}
