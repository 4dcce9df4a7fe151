"""Threads, subprocesses, json, sockets, signals; for python3 and pypy3."""
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading


def threads():
    jobs, done = queue.Queue(), []
    lock = threading.Lock()

    def body():
        while (n := jobs.get()) is not None:
            with open("/dev/null", "w") as file:
                file.write(str(n))
            with lock:
                done.append(n * n)
    workers = [threading.Thread(target=body) for _ in range(8)]
    for worker in workers:
        worker.start()
    for n in list(range(400)) + [None] * 8:
        jobs.put(n)
    for worker in workers:
        worker.join()
    print("threads", len(done), sum(done))


def subprocesses():
    for n in range(10):
        done = subprocess.run(["sh", "-c", f"cat; exit {n}"], input=f"text {n}\n", capture_output=True, text=True)
        print("subprocess", done.returncode, done.stdout.strip())
    pipe = subprocess.Popen(["sort", "-r"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print("sort", pipe.communicate("b\na\nc\n")[0].split())
    print("killed", subprocess.run(["sh", "-c", "kill -9 $$"]).returncode)
    try:
        subprocess.run(["/nonexistent"])
    except FileNotFoundError as wrong:
        print("no file", wrong.errno)
    pid = os.fork()
    if pid == 0:
        os._exit(9)
    print("fork", os.WEXITSTATUS(os.waitpid(pid, 0)[1]))


def sockets():
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        for _ in range(20):
            link, _ = server.accept()
            with link:
                link.sendall(link.recv(1000)[::-1])
    thread = threading.Thread(target=serve)
    thread.start()
    replies = []
    for n in range(20):
        with socket.create_connection(server.getsockname()) as link:
            link.sendall(f"hello {n}".encode())
            replies.append(link.recv(1000).decode())
    thread.join()
    left, right = socket.socketpair()
    right.settimeout(0.02)
    try:
        right.recv(1)
    except socket.timeout:
        replies.append("timeout")
    left.close()
    print("sockets", replies, right.recv(1))


def files():
    data = {"list": list(range(50)), "text": "\u00e4\u20ac", "nested": {"a": [None, True, 1.5]}}
    with tempfile.NamedTemporaryFile("w+", dir=".") as file:
        json.dump(data, file)
        file.flush()
        with open(file.name) as again:
            print("json", json.load(again) == data, os.path.getsize(file.name))
    print("files", sorted(name for name in os.listdir("/proc/self/task/%d" % os.getpid()) if name == "stat"))


def signals():
    seen = []
    signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    while len(seen) < 20:
        signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    print("signals", set(seen) == {signal.SIGALRM})


threads()
sys.stdout.flush()
subprocesses()
sockets()
files()
signals()
sys.exit(5)
