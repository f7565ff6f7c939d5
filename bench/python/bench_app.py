"""Celery's application: the no-op task of all sides, with broker and results on the private Redis."""
import os

from celery import Celery

URL = os.environ['BENCH_REDIS_URL']

app = Celery('bench', broker=URL, backend=URL)


@app.task(name='bench.add')
def add(x, y):
    return x + y
