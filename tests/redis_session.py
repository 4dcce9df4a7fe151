#!/usr/bin/python3
"""A redis-server that answers a client and ends: a program for tests/oracle.py --counts. The client runs in this very
process, so that all of it is hooked."""
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import common

TRIES, REQUESTS = 200, 200


def connect(port):
    for _ in range(TRIES):
        try:
            return socket.create_connection(("127.0.0.1", port), 1)
        except OSError:
            time.sleep(0.05)
    sys.exit("redis-server doesn't listen")


def main():
    port = common.free_port()
    with tempfile.TemporaryDirectory(prefix="zlazy-redis-") as folder:
        server = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
                                   folder], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        with connect(port) as link, link.makefile("rb") as answers:
            for number in range(REQUESTS):
                link.sendall(b"SET key%d %d\r\n" % (number, number))
                if answers.readline() != b"+OK\r\n":
                    sys.exit("redis-server doesn't answer")
            link.sendall(b"SHUTDOWN NOSAVE\r\n")
        sys.exit(server.wait())


if __name__ == "__main__":
    main()
