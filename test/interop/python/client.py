"""Runs Python for the tests: a line of JSON in, a line of JSON out, so that a test need not pay for an interpreter."""
import ast
import datetime
import decimal
import json
import sys
import time
import traceback
import uuid

import celery
from celery import group, signature
from celery.result import AsyncResult, GroupResult

import tasks
from app import app

answers = sys.stdout
# What the code prints is for people.
sys.stdout = sys.stderr


class Ours:
    """Tasks that only the other side has: `ours.echo.delay(1)`, and with arguments `ours('echo', 1)`."""

    def __getattr__(self, name):
        return app.signature(f'ours.{name}')

    def __call__(self, name, *args, **kwargs):
        return app.signature(f'ours.{name}', args, kwargs)


names = {module.__name__: module for module in (celery, datetime, decimal, json, tasks, time, uuid)}
names.update(app=app, ours=Ours(), group=group, signature=signature, AsyncResult=AsyncResult, GroupResult=GroupResult)


def run(code, given):
    """What the last expression gives."""
    tree = ast.parse(code)
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    names.update(given)
    exec(compile(tree, '<test>', 'exec'), names)
    return eval(compile(last, '<test>', 'eval'), names) if last else None


def answer(request):
    try:
        return {'value': run(request['code'], request['given'])}
    except BaseException as error:
        return {'error': {
            'type': type(error).__qualname__, 'module': type(error).__module__, 'args': error.args, 'text': str(error),
            'bases': [base.__name__ for base in type(error).__mro__], 'traceback': traceback.format_exc(),
        }}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line)), default=repr), file=answers, flush=True)
