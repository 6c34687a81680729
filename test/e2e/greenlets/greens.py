"""gevent or eventlet, as the first argument says: greenlets, native threads, and the patching that puts the one into the
place of the other."""

import sys

if sys.argv[1] == "gevent":
    import gevent
    import gevent.monkey

    patch = gevent.monkey.patch_all
    spawn = gevent.spawn
    sleep = gevent.sleep

    def results(greenlets):
        gevent.joinall(greenlets)
        return [each.value for each in greenlets]

    def serve(application):
        from gevent.pywsgi import WSGIServer

        server = WSGIServer(("127.0.0.1", 0), application, log=None)
        server.start()
        return server.address, server.stop

    def in_native_thread(function, *arguments):
        return gevent.get_hub().threadpool.spawn(function, *arguments).get

else:
    import eventlet
    import eventlet.tpool

    patch = eventlet.monkey_patch
    spawn = eventlet.spawn
    sleep = eventlet.sleep

    def results(greenlets):
        return [each.wait() for each in greenlets]

    def serve(application):
        import eventlet.wsgi

        listener = eventlet.listen(("127.0.0.1", 0))
        server = eventlet.spawn(eventlet.wsgi.server, listener, application, log_output=False)
        return listener.getsockname(), server.kill

    def in_native_thread(function, *arguments):
        return eventlet.spawn(eventlet.tpool.execute, function, *arguments).wait
