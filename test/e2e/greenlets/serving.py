"""A server on the loopback interface whose requests import, and clients that ask at the same time.

    python serving.py gevent|eventlet
"""

import faulthandler
import sys

faulthandler.dump_traceback_later(60, exit=True)  # instead of a deadlock

import greens

greens.patch()
import socket

sys.loaded = []
NAMES = ("slow", "circle", "slow_parent.child", "raising", "graphlib")


def application(environment, start_response):
    name = environment["PATH_INFO"][1:]
    try:
        __import__(name)
        answer = f"{name} {getattr(sys.modules[name], 'value', None)}"
    except (KeyError, ValueError) as error:  # it raised here, or is gone since it raised elsewhere
        answer = f"{name} {error}"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer.encode()]


def ask(address, name):
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(f"GET /{name} HTTP/1.0\r\n\r\n".encode())
        return client.makefile().read().splitlines()[-1]


address, stop = greens.serve(application)
for _ in range(2):
    waiting = [greens.spawn(ask, address, name) for _ in range(3) for name in NAMES]
    answers = greens.results(waiting)
    print(len(answers), sorted(set(answers)), sorted(sys.loaded), flush=True)
stop()
faulthandler.cancel_dump_traceback_later()
