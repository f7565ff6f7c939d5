"""Only enqueues tasks."""
import sys

from bench_app import add, app

with app.producer_pool.acquire(block=True) as producer:
    for i in range(int(sys.argv[1])):
        add.apply_async((i, 1), producer=producer)
