"""A Python Celery client that is asked line by line: JSON on standard input, JSON on standard output."""
import datetime
import json
import sys

from celery import Celery
from celery.result import AsyncResult, GroupResult

app = Celery('client', broker='memory://', backend=sys.argv[1])
app.conf.update(json.loads(sys.argv[2]))
waiting = {}


def describe(error):
    return {'type': type(error).__name__, 'module': type(error).__module__, 'args': [repr(arg) for arg in error.args]}


class Calls:
    def wait_begin(self, id):
        """Subscribes, as whoever sends a task does."""
        waiting[id] = app.AsyncResult(id)
        app.backend.result_consumer.consume_from(id)

    def wait_end(self, id):
        return waiting.pop(id).get(timeout=10)

    def get(self, id):
        return app.AsyncResult(id).get(timeout=10)

    def error(self, id):
        try:
            return {'value': app.AsyncResult(id).get(timeout=10)}
        except Exception as error:
            return describe(error)

    def state(self, id):
        result = app.AsyncResult(id)
        return [result.state, result.info]

    def meta(self, id):
        return {**app.backend.get_task_meta(id), 'result': None}

    def store(self, id, result, state):
        app.backend.store_result(id, result, state)

    def store_python(self, id, source, state):
        """The value is an expression, so that it can be what JSON has no word for."""
        app.backend.store_result(id, eval(source), state)

    def repr(self, id):
        return repr(app.AsyncResult(id).get(timeout=10))

    def traceback(self, id):
        return app.AsyncResult(id).traceback

    def fail(self, id, message):
        try:
            raise ValueError(message, 42)
        except ValueError as error:
            app.backend.store_result(id, error, 'FAILURE', traceback='Traceback: here')

    def group_get(self, id):
        return GroupResult.restore(id, backend=app.backend, app=app).get(timeout=10)

    def group_save(self, id, members):
        GroupResult(id, [AsyncResult(member, app=app) for member in members], app=app).save(backend=app.backend)

    def forget(self, id):
        app.AsyncResult(id).forget()

    def chord_size(self, id, size):
        app.backend.set_chord_size(id, size)

    def chord_part(self, id, index, task, state, result):
        class Request:
            group, group_index, chord = id, index, None
        Request.id = task
        app.backend.on_chord_part_return(Request, state, result)


calls = Calls()
for line in sys.stdin:
    call = json.loads(line)
    try:
        reply = {'value': getattr(calls, call['do'])(*call['args'])}
    except Exception as error:
        reply = {'error': repr(error)}
    print(json.dumps({'id': call['id'], **reply}, default=str), flush=True)
