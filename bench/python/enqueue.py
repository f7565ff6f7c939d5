"""Enqueues tasks one after another, with `delay` and with a producer that is kept; prints the speed of each."""
import json
import sys
import time

from bench_app import add, app

# One by one, so the speed is the same for any number: half of the tasks each way.
TASKS = int(sys.argv[1]) // 2


def timed(submit, count):
    start = time.perf_counter()
    for i in range(count):
        submit(i)
    return time.perf_counter() - start


timed(lambda i: add.delay(i, 1), TASKS // 10)
by_delay = timed(lambda i: add.delay(i, 1), TASKS)
with app.producer_pool.acquire(block=True) as producer:
    by_kept_producer = timed(lambda i: add.apply_async((i, 1), producer=producer), TASKS)
print(json.dumps({'perSecondByDelay': TASKS / by_delay, 'perSecondByKeptProducer': TASKS / by_kept_producer}))
