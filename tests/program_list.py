"""The real programs of tests/programs.py, a small function each.

To add one: a function with a one-line docstring under @program; it tells the Session what to do and in this way
writes the transcript, which has to be the same every time (no times, pids, addresses). Files it needs: tests/inputs.
needs: commands, or paths of files, without which the program is skipped. Long ones are in modules of their own
(LONG in programs.py), run with --long only, and have a time limit of their own: @takes(seconds).
"""
import os
import re
import signal
import socket
import tempfile

from sessions import Trouble

PROGRAMS = {}
BUILD = None  # the build folder, set by programs.py: for the guests
GIT = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z",
       "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org",
       "GIT_COMMITTER_DATE": "2020-01-02T00:00:00Z", "GIT_CONFIG_NOSYSTEM": "1"}


class Program:
    def __init__(self, function, needs, environment):
        self.name, self.function, self.needs, self.environment = function.__name__, function, needs, environment
        self.faults_at_null, self.no_oracle = False, None
        self.long = function.__module__ != __name__
        self.seconds = 120  # natively or under the agent; see @takes

    @staticmethod
    def skip_line(session):
        """A program may itself find that it can't run here, as guests do: exit 77 and a reason."""
        if any(line.endswith(": exit 77") for line in session.transcript):
            return " ".join(line for line in session.transcript if line.startswith("skip: ")) or "it says so itself"
        return None


def faults_at_null(function):
    """It lives by faults at address zero: page zero must not be there, or not be readable. Above @program."""
    PROGRAMS[function.__name__].faults_at_null = True
    return function


def no_oracle(reason):
    """It can't run under strace. Above @program."""
    def mark(function):
        PROGRAMS[function.__name__].no_oracle = reason
        return function
    return mark


def takes(seconds):
    """It may take longer than others: stop it after so many seconds. Above @program."""
    def mark(function):
        PROGRAMS[function.__name__].seconds = seconds
        return function
    return mark


def program(*needs, **environment):
    def register(function):
        PROGRAMS[function.__name__] = Program(function, needs, environment)
        return function
    return register


@program("ls")
def ls(session):
    """ls -laR /usr/share/doc"""
    session.run("ls", "-laR", "/usr/share/doc")


@program("bash")
def bash(session):
    """bash: pipes, subshells, process substitution, coprocesses, traps, timeouts"""
    session.take("shell.sh", "shell.bash")
    session.run("bash", "shell.sh")
    session.run("bash", "shell.bash")


@program("dash")
def dash(session):
    """dash: pipes, subshells, traps"""
    session.take("shell.sh")
    session.run("dash", "shell.sh")


@program("/usr/bin/python3")
def python(session):
    """/usr/bin/python3: threads, subprocess, json, sockets"""
    session.take("work.py")
    session.run("/usr/bin/python3", "-I", "work.py")


@program("gcc")
def gcc(session):
    """gcc compiling and linking a program, which then runs"""
    session.take("primes.c")
    session.run("gcc", "-O2", "-pipe", "primes.c", "-o", "primes")
    session.run("./primes", "3000")
    session.run("gcc", "-O2", "-fsyntax-only", "missing.c")
    session.helper("cksum", "primes")


@program("make", "gcc")
def make(session):
    """make -j2: a small tree of objects, then a second run with nothing to do"""
    session.take("Makefile", "primes.c")
    session.run("make", "-s", "-j2")
    session.run("make", "-j2")
    session.helper("sh", "-c", "cksum *.o all.txt")


@program("git", **GIT)
def git(session):
    """git: init, commits, branch, merge, conflict, gc, clone, fsck"""
    session.take("git.sh")
    session.run("sh", "git.sh")


@program("tar", "gzip")
def tar(session):
    """tar and gzip: pack a tree, list, unpack, compare"""
    session.take("tar.sh")
    session.run("sh", "tar.sh")
    session.helper("cksum", "tree.tar.gz")


@program("sqlite3")
def sqlite(session):
    """sqlite3: tables, indexes, WAL, a failing constraint"""
    session.take("work.sql")
    session.run("sqlite3", "work.db", ".read work.sql")
    session.run("sqlite3", "work.db", "select count(*), sum(n) from numbers; pragma integrity_check;")


@program("redis-server", "redis-cli", "redis-benchmark")
def redis(session):
    """redis-server under redis-benchmark, and replies to redis-cli"""
    port = str(session.free_port())
    server = session.start("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir",
                           session.folder, quiet=True)
    session.wait_for(int(port), server)
    for words in ("set a 1", "incr a", "lpush list 1 2 3", "lrange list 0 -1", "eval return{1,2} 0", "get none",
                  "bgsave", "wrong"):
        session.helper("redis-cli", "-p", port, *words.split())
    report = session.helper("redis-benchmark", "-p", port, "-n", "5000", "-c", "20", "-t", "set,get,incr,lpush",
                            "--csv", show=False)
    session.note(f"redis-benchmark: {len(re.findall(r'^.(SET|GET|INCR|LPUSH)', report, re.M))} tests")
    session.helper("redis-cli", "-p", port, "get", "counter:__rand_int__")
    session.helper("redis-cli", "-p", port, "shutdown", "nosave", show=False)
    session.finish(server)


NGINX = """daemon off; master_process on; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{ access_log {folder}/access.log; server_tokens off; sendfile on;
client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
server {{ listen 127.0.0.1:{port}; root {folder}; location /here {{ return 200 "here\\n"; }} }} }}
"""


def fetch(port, request):
    """The reply, without what changes from time to time."""
    with socket.create_connection(("127.0.0.1", port), 30) as link:
        link.sendall(request.encode())
        reply = b"".join(iter(lambda: link.recv(65536), b""))
    return re.sub(r"(?m)^(Date|ETag|Last-Modified): .*\n", "", reply.decode().replace("\r", ""))


@program("nginx", "wrk")
def nginx(session):
    """nginx with two workers under wrk, and replies to a client"""
    port = session.free_port()
    os.chmod(os.path.dirname(session.folder), 0o755)
    session.write("nginx.conf", NGINX.format(folder=session.folder, port=port))
    session.write("big.txt", "0123456789abcde\n" * 20000)
    session.write("small.txt", "small\n")
    server = session.start("nginx", "-c", session.path("nginx.conf"), "-p", session.folder, "-e", "error.log")
    session.wait_for(port, server)
    for what in ("GET /small.txt", "GET /big.txt", "HEAD /big.txt", "GET /here", "GET /none", "PUT /small.txt"):
        session.note(fetch(port, f"{what} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    for path in ("small.txt", "big.txt"):
        report = session.helper("wrk", "-t2", "-c16", "-d1s", f"http://127.0.0.1:{port}/{path}", show=False)
        served = re.search(r"(\d+) requests in", report)
        if not served or served[1] == "0" or re.search(r"Non-2xx|Socket errors", report):
            raise Trouble(f"wrk says: {report}")
    with open(session.path("pid"), encoding="ascii") as file:
        master = int(file.read())
    os.kill(master, signal.SIGQUIT)
    session.finish(server)
    with open(session.path("error.log"), encoding="utf-8") as file:
        session.note(re.sub(r"\d+", "N", file.read()))


@program("luajit")
def luajit(session):
    """luajit: compiled loops, system calls through its foreign function interface, files, a pipe"""
    session.take("work.lua")
    session.run("luajit", "work.lua")


@program()
def jit(session):
    """a program that generates code with system calls at run time and runs it from 8 threads"""
    session.run(os.path.join(BUILD, "tests/guests/jit_threads"))


@program()
def plugin(session):
    """a program that opens a plugin with a raw system call"""
    session.run(os.path.join(BUILD, "tests/guests/plugin_dlopen"))


# Installed on some machines only.

@program("node")
def node(session):
    """node: worker threads, child processes, files, a server and its client"""
    session.take("work.js")
    session.run("node", "work.js")


@faults_at_null
@program("java", "javac")
def java(session):
    """java: threads, implicit null checks, a child process, sockets"""
    session.take("Work.java")
    session.run("javac", "Work.java")
    session.run("java", "-Xmx128m", "-cp", ".", "Work")


@faults_at_null
@program("go", "gcc")
def go(session):
    """a Go program linked with libc: goroutines, nil dereference, os/exec, sockets"""
    session.take("work.go")
    session.native.update(GOCACHE=shared_folder("go-cache"), GOFLAGS="-mod=mod", GO111MODULE="off", CGO_ENABLED="1")
    session.helper("go", "build", "-o", "work", "work.go", show=False)
    session.run("./work")


def shared_folder(name):
    """For caches that would otherwise be filled anew in every session."""
    path = os.path.join(BUILD if os.access(BUILD, os.W_OK) else tempfile.gettempdir(), name)
    os.makedirs(path, exist_ok=True)
    return path


@program("pypy3")
def pypy(session):
    """pypy3: a compiled loop, and what python does"""
    session.take("work.py")
    session.run("pypy3", "-I", "work.py")


@program("ruby")
def ruby(session):
    """ruby: threads, fork, pipes, files"""
    session.take("work.rb")
    session.run("ruby", "work.rb")


@program("php")
def php(session):
    """php: files, child processes, json, sockets"""
    session.take("work.php")
    session.run("php", "-n", "work.php")
