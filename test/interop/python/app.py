"""The Celery application of the Python side; the tests say in the environment where it works and how."""
import json
import os

from celery import Celery

app = Celery('tasks', broker=os.environ['BROKER_URL'], backend=os.environ['RESULT_BACKEND'])
app.conf.update(accept_content=['json', 'msgpack', 'yaml'], worker_hijack_root_logger=False)
app.conf.update(json.loads(os.environ.get('CELERY_SETTINGS', '{}')))
