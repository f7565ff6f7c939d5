import { describe, expect, test } from 'vitest'
import {
  CeleriacError,
  ContentDisallowed,
  DecodeError,
  EncodeError,
  InvalidTaskError,
  MaxRetriesExceededError,
  NotRegistered,
  OperationalError,
  RemoteError,
  SecurityError,
  TaskRevokedError,
  TimeoutError,
  WorkerLostError,
} from '../../src/errors.ts'
import { decodeException, encodeException, errorFromWire } from '../../src/protocol/exception.ts'
import { parseJson } from '../../src/protocol/json.ts'
import { askPython, hasCelery } from './python.ts'

const READ = `
from celery import Celery
backend = Celery('test', backend='cache+memory://').backend
def answer(stored):
    error = backend.exception_to_python(stored)
    return [type(error).__module__, type(error).__name__, list(error.args), isinstance(error, Exception)]
`

class PaymentError extends Error {}
class Odd$Name extends Error {}
class Ignore extends Error {}

/** What a task throws here, and what `AsyncResult.get` raises in Python: module, class and arguments. */
const OURS: readonly (readonly [what: string, thrown: unknown, module: string, name: string, args: readonly unknown[]])[] = [
  ['an Error', new Error('x'), 'celery.exceptions', 'Error', ['x']],
  ['a RangeError', new RangeError('too large'), 'celery.exceptions', 'RangeError', ['too large']],
  ['a TypeError, which is not the one of Python', new TypeError('x'), 'celery.exceptions', 'TypeError', ['x']],
  ['an error without a message', new Error(), 'celery.exceptions', 'Error', ['']],
  ['an error of the application', new PaymentError('no money'), 'celery.exceptions', 'PaymentError', ['no money']],
  ['a class whose name is no name in Python', new Odd$Name('x'), 'celery.exceptions', 'Odd$Name', ['x']],
  ['a class that is named like one of Celery, which it is not', new Ignore('x'), 'celery.exceptions', 'Ignore', ['x']],
  ['text', 'just text', 'celery.exceptions', 'Error', ['just text']],
  ['undefined', undefined, 'celery.exceptions', 'Error', ['The task threw undefined, which is not an Error']],
  ['half a surrogate pair', new Error('\ud800'), 'celery.exceptions', 'Error', ['\ud800']],
  ['errors with causes', new Error('outer', { cause: new Error('inner') }), 'celery.exceptions', 'Error', ['outer']],
  ['several errors', new AggregateError([new Error('one')], 'all failed'), 'celery.exceptions', 'AggregateError', ['all failed']],
  ['NotRegistered', new NotRegistered('long text', 'a.b'), 'celery.exceptions', 'NotRegistered', ['a.b']],
  ['TaskRevokedError', new TaskRevokedError('expired'), 'celery.exceptions', 'TaskRevokedError', ['expired']],
  ['TimeoutError', new TimeoutError('late'), 'celery.exceptions', 'TimeoutError', ['late']],
  ['MaxRetriesExceededError', new MaxRetriesExceededError('no more'), 'celery.exceptions', 'MaxRetriesExceededError', ['no more']],
  ['InvalidTaskError', new InvalidTaskError('x'), 'celery.exceptions', 'InvalidTaskError', ['x']],
  ['SecurityError', new SecurityError('x', 'unsigned'), 'celery.exceptions', 'SecurityError', ['x']],
  ['WorkerLostError', new WorkerLostError('gone'), 'billiard.exceptions', 'WorkerLostError', ['gone']],
  ['EncodeError', new EncodeError('x', 'result'), 'kombu.exceptions', 'EncodeError', ['x']],
  ['DecodeError', new DecodeError('x'), 'kombu.exceptions', 'DecodeError', ['x']],
  ['ContentDisallowed', new ContentDisallowed('x', 'y'), 'kombu.exceptions', 'ContentDisallowed', ['x']],
  ['OperationalError', new OperationalError('x'), 'kombu.exceptions', 'OperationalError', ['x']],
  ['an error that only we have', new CeleriacError('ERR_X', 'x'), 'celery.exceptions', 'CeleriacError', ['x']],
]

const WRITE = `
import builtins, decimal, datetime, json, uuid
import celery.exceptions, kombu.exceptions, billiard.exceptions
from celery import Celery
backend = Celery('test', backend='cache+memory://').backend
class Outer:
    class InnerError(Exception): pass
class WithState(Exception):
    def __init__(self, a, b):
        super().__init__(a, b)
        self.code = 5
class Hidden(Exception):
    def __init__(self): super().__init__()
def answer(code):
    try: exec(code, globals())
    except BaseException as error:
        return json.loads(json.dumps(backend.prepare_exception(error, 'json'), cls=__import__('kombu.utils.json', fromlist=['x']).JSONEncoder))
`

/** What a task raises in Python, and what it is here. */
const THEIRS: readonly (readonly [code: string, type: Function, expected: Readonly<Record<string, unknown>>])[] = [
  ['raise ValueError("boom", 42)', RemoteError, { name: 'ValueError', message: 'boom, 42', excModule: 'builtins', excArgs: ['boom', 42] }],
  ['{}["missing"]', RemoteError, { name: 'KeyError', message: 'missing', excModule: 'builtins', excArgs: ['missing'] }],
  ['1/0', RemoteError, { name: 'ZeroDivisionError', message: 'division by zero' }],
  ['raise ValueError', RemoteError, { name: 'ValueError', message: '', excArgs: [] }],
  ['raise TypeError("x")', RemoteError, { name: 'TypeError', message: 'x', excModule: 'builtins' }],
  ['raise TimeoutError()', RemoteError, { name: 'TimeoutError', excModule: 'builtins' }],
  ['open("/no/such/file")', RemoteError, { name: 'FileNotFoundError', message: '2, No such file or directory', excArgs: [2, 'No such file or directory'] }],
  ['raise Outer.InnerError("x")', RemoteError, { name: 'Outer.InnerError', message: 'x' }],
  ['raise WithState("a", {"b": [1]})', RemoteError, { name: 'WithState', excArgs: ['a', { b: [1] }] }],
  ['raise Hidden()', RemoteError, { name: 'Hidden', excArgs: [] }],
  ['raise ValueError(b"bytes", object)', RemoteError, { excArgs: ["b'bytes'", "<class 'object'>"] }],
  ['raise ValueError(2**70)', RemoteError, { excArgs: [2n ** 70n] }],
  ['raise ValueError(None, True, float("nan"))', RemoteError, { excArgs: [null, true, Number.NaN] }],
  ['raise ValueError(datetime.datetime(2026, 1, 2), decimal.Decimal("1.10"))', RemoteError, { excArgs: ['2026-01-02T00:00:00', '1.10'] }],
  ['raise ValueError("\\ud800 \\u2028 é😀")', RemoteError, { message: '\ud800 \u2028 é😀' }],
  ['raise celery.exceptions.NotRegistered("a.b")', NotRegistered, { taskName: 'a.b' }],
  ['raise celery.exceptions.TaskRevokedError("terminated")', TaskRevokedError, { reason: 'terminated' }],
  ['raise celery.exceptions.TimeoutError("late")', TimeoutError, { message: 'late' }],
  ['raise celery.exceptions.MaxRetriesExceededError("no more", task_args=(1,))', MaxRetriesExceededError, { message: 'no more' }],
  ['raise celery.exceptions.ChordError("x")', RemoteError, { name: 'ChordError', excModule: 'celery.exceptions' }],
  ['raise celery.exceptions.SecurityError("x")', SecurityError, { message: 'x' }],
  ['raise billiard.exceptions.WorkerLostError("signal 9")', WorkerLostError, { message: 'signal 9' }],
  ['raise billiard.exceptions.TimeLimitExceeded(5)', RemoteError, { name: 'TimeLimitExceeded', excArgs: [5] }],
  ['raise billiard.exceptions.SoftTimeLimitExceeded()', RemoteError, { name: 'SoftTimeLimitExceeded' }],
  ['raise kombu.exceptions.EncodeError("x")', EncodeError, { message: 'x' }],
  ['raise kombu.exceptions.OperationalError("x")', OperationalError, { message: 'x' }],
  ['raise SystemExit(3)', RemoteError, { name: 'SystemExit', excArgs: [3] }],
]

describe.skipIf(!hasCelery)('exceptions (skipped where there is no Celery for Python)', () => {
  const read = askPythonOnce(READ, OURS.map(([, thrown]) => parseJson(encodeException(thrown).text)))
  const raised = askPythonOnce(WRITE, THEIRS.map(([code]) => code))

  test.each(OURS.map((row, index) => [...row, index] as const))('Python raises %s', (_what, _thrown, module, name, args, index) => {
    expect(read()[index]).toEqual([module, name, args, true])
  })

  test.each(THEIRS.map((row, index) => [...row, index] as const))('we reject with what Python made of %s', (_code, type, expected, index) => {
    const error = errorFromWire(decodeException(raised()[index]), { traceback: 'Traceback (most recent call last):\n  File "x.py"' })

    expect(error).toBeInstanceOf(type)
    expect(error).toMatchObject(expected)
    expect(error.stack).toContain('Traceback (most recent call last)')
  })
})

/** One process answers for a whole table, when the first of its tests asks. */
function askPythonOnce(script: string, questions: readonly unknown[]): () => unknown[] {
  let answers: unknown[] | undefined
  return () => (answers ??= askPython(script, questions))
}
