"""Tasks that the Python side knows."""
import datetime
import decimal
import os
import time
import uuid

from celery import group
from celery.exceptions import Ignore

from app import app


class OrderError(Exception):
    """An error with several arguments."""

    def __init__(self, order, reason):
        super().__init__(order, reason)


class Orders:
    class Closed(Exception):
        """An error whose class is inside another."""


@app.task
def add_together(a, b):
    return a + b


@app.task
def power(base, exponent=2):
    return base ** exponent


@app.task
def echo(value=None):
    return value


@app.task
def describe(*args):
    """What the types of values are on this side."""
    return [type(value).__name__ for value in args]


@app.task
def moments():
    """Values that JSON has no form for."""
    return {
        'aware': datetime.datetime(2030, 1, 2, 3, 4, 5, 678900, tzinfo=datetime.timezone.utc),
        'naive': datetime.datetime(2030, 1, 2, 3, 4, 5),
        'date': datetime.date(2030, 1, 2),
        'decimal': decimal.Decimal('12.50'),
        'uuid': uuid.UUID(int=1),
    }


@app.task
def numbers():
    return [2 ** 70, -(2 ** 63), float('nan'), float('inf'), float('-inf'), 0.1, 1.0]


@app.task
def clock():
    return time.time()


@app.task
def record(file, text):
    with open(file, 'a') as trace:
        trace.write(f'{text}\n')


@app.task
def note(*args):
    """Leaves what it was given as a line, the file last."""
    *given, file = args
    record.run(file, str(given if len(given) != 1 else given[0]))


@app.task(bind=True)
def request(self, *args, **kwargs):
    """The request as plain data."""
    its = self.request
    return {
        'id': its.id, 'root_id': its.root_id, 'parent_id': its.parent_id, 'group': its.group, 'group_index': getattr(its, 'group_index', None),
        'retries': its.retries, 'eta': its.eta, 'expires': its.expires, 'timelimit': its.timelimit, 'shadow': its.shadow, 'origin': its.origin,
        'argsrepr': its.argsrepr, 'kwargsrepr': its.kwargsrepr, 'correlation_id': its.correlation_id, 'reply_to': its.reply_to,
        'headers': {key: value for key, value in (its.headers or {}).items() if key.startswith('x-')},
        'tenant': getattr(its, 'x-tenant', None), 'hostname': its.hostname, 'queue': its.delivery_info['routing_key'],
        'priority': its.delivery_info['priority'], 'ignore_result': its.ignore_result, 'lang': getattr(its, 'lang', None),
    }


@app.task
def fail(message):
    raise ValueError(message)


@app.task
def fail_with_key(key):
    return {}[key]


@app.task
def fail_with_several(order, reason):
    raise OrderError(order, reason)


@app.task
def fail_nested():
    raise Orders.Closed('for good')


@app.task
def fail_chained():
    try:
        {}['inner']
    except KeyError as error:
        raise RuntimeError('outer') from error


@app.task
def fail_oddly():
    raise ValueError({1, 2}, object())


@app.task
def return_unsendable():
    return object()


@app.task(bind=True)
def flaky(self, times, file=None):
    """Succeeds after so many retries."""
    if file:
        record.run(file, self.request.retries)
    if self.request.retries < times:
        raise self.retry(countdown=0.1, max_retries=10, exc=ValueError(f'attempt {self.request.retries}'))
    return self.request.retries


@app.task(bind=True)
def give_up(self, with_error):
    raise self.retry(countdown=0, max_retries=2, **({'exc': OrderError(7, 'still closed')} if with_error else {}))


@app.task(bind=True, autoretry_for=(ConnectionError,), retry_kwargs={'countdown': 0, 'max_retries': 5})
def autoretried(self, times):
    if self.request.retries < times:
        raise ConnectionError('not yet')
    return self.request.retries


@app.task(bind=True)
def wait_to_retry(self):
    """Stays in RETRY until it is revoked."""
    raise self.retry(countdown=3600, exc=OrderError(1, 'later'))


@app.task(ignore_result=True)
def forgetful(value):
    return value


@app.task(bind=True)
def count_to(self, last, file):
    """Reports each step, and begins when the file is there."""
    wait_for_file.run(file)
    for done in range(last + 1):
        self.update_state(state='PROGRESS', meta={'done': done, 'last': last})
        time.sleep(0.02)
    return last


@app.task(bind=True)
def report_until(self, state, meta, file):
    self.update_state(state=state, meta=meta)
    return wait_for_file.run(file)


@app.task
def wait_for_file(file):
    while not os.path.exists(file):
        time.sleep(0.01)
    return file


@app.task
def sleep(seconds):
    time.sleep(seconds)
    return seconds


@app.task
def ignore():
    raise Ignore()


@app.task(soft_time_limit=0.2)
def past_soft_limit():
    time.sleep(30)


@app.task(time_limit=0.3)
def past_hard_limit():
    time.sleep(30)


@app.task
def die():
    os.kill(os.getpid(), 9)


@app.task
def call_other(name, args, queue='celery'):
    """Sends a task of the other side, without waiting for it."""
    return app.send_task(name, args, queue=queue).id


@app.task
def call_group(name, lists, queue):
    """Its result is that of the group."""
    return group(app.signature(name, args).set(queue=queue) for args in lists).apply_async()


@app.task
def on_failure(failed_id, *, file):
    """An errback in the old style, with one positional argument: it is told the id."""
    record.run(file, failed_id)


@app.task
def on_failure_inline(request, exc, traceback):
    """An errback in the new style: the failing worker calls it at once."""
    app.backend.client.rpush('errbacks', f'{request.id} {type(exc).__name__} {exc}')


@app.task(bind=True)
def hand_over(self, queue):
    """Is retried in another queue."""
    raise self.retry(queue=queue, countdown=0.2)


@app.task(ignore_result=True)
def share(text, files):
    """One of many, whose runs are counted by who runs them."""
    time.sleep(0.002)
    record.run(files['python'], text)


@app.task(acks_late=True, reject_on_worker_lost=True)
def hold(file, key):
    """Leaves a trace and stays, the first time; what takes it over finds the trace and ends."""
    began = os.path.exists(f'{file}.{key}')
    record.run(f'{file}.{key}', 'python')
    if not began:
        time.sleep(3600)
    return 'python'
