"""Submits tasks, each once the result of the one before is here; prints how long each took, in milliseconds."""
import json
import sys
import time

from bench_app import add


def trip(i):
    start = time.perf_counter()
    total = add.delay(i, 1).get(timeout=60)
    assert total == i + 1, f'add({i}, 1) gave {total}'
    return (time.perf_counter() - start) * 1000


print(json.dumps([trip(i) for i in range(int(sys.argv[1]))]))
