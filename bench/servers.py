"""servers.py - what bench/redis and bench/nginx share: a server, native and under the count hook, in each fast tactic.

A round starts a fresh server of each kind, nothing persistent, in a folder of their own. All stay up for the round, on
processor 0, while the client, never hooked, runs on processor 1 against one and the other in short slices, A B C,
B C A, C A B ...; the round's figure is the median slice, its ratios the median of the ratios of neighbouring slices.
(On a virtual machine two slices differ by 10% of CPU and 20% of throughput whatever their length: many short ones tell
more than one long.) CPU is what the scheduler counted for the server's threads (schedstat, else /proc/PID/stat).
With --native there is a second native server, and the ratios show the noise. Nothing is left running.
"""
import csv
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import harness
import common

CLIENTS = "50"
WAIT_SECONDS = 10
WARM_UP_REQUESTS = 10000
TICK = os.sysconf("SC_CLK_TCK")


def processors():
    """(of the servers, of redis-benchmark)."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def read(name):
    with open(name) as file:
        return file.read()


class Kind:
    """One of the kinds of server, and what a round gave for it."""

    def __init__(self, name, environment, tactic=None):
        self.name = name
        self.tactic = tactic
        self.environment = environment
        self.rate = []      # requests per second
        self.cpu_us = []    # of the server, per request
        self.rate_ratio = []  # to the first kind
        self.cpu_ratio = []


class Server:
    """Of one program: command(folder), answers(), get(count), warm_up(), and what one request is called."""

    def __init__(self, kind, folder):
        self.name, self.kind = kind.name, kind
        self.port = common.free_port()
        self.folder = os.path.join(folder, re.sub(r"\W+", "-", kind.name))
        os.mkdir(self.folder)
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command(), env=kind.environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log,
                                            preexec_fn=lambda: os.sched_setaffinity(0, {processors()[0]}))

    def wait(self):
        """Until it answers; raises RuntimeError if it doesn't."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name}: ended with status {self.process.returncode}: "
                                   f"{self.last_words()}")
            if self.answers():
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name}: doesn't answer after {WAIT_SECONDS} s: {self.last_words()}")

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as s:
                s.sendall(self.hello[0])
                return s.recv(100).startswith(self.hello[1])
        except OSError:
            return False

    def worker(self):
        """The process that does the work."""
        return self.process.pid

    def last_words(self):
        with open(self.log, errors="replace") as log:
            return " | ".join(log.read().split("\n")[-4:])

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        """Of all threads: in nanoseconds where the kernel counts so, else in ticks."""
        tasks = f"/proc/{self.worker()}/task"
        total = 0
        for task in os.listdir(tasks):
            try:
                total += int(read(f"{tasks}/{task}/schedstat").split()[0])
            except OSError:
                total = 0
                break
        if total > 0:
            return total / 1e9
        fields = read(f"/proc/{self.worker()}/stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def maps(self):
        return read(f"/proc/{self.worker()}/maps")


def run_client(*command):
    """What a client says that runs on its own processor."""
    return subprocess.run(command, env=harness.native_environment(), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {processors()[1]})).stdout


class Redis(Server):
    program, request, hello = "redis-server", "GET", (b"PING\r\n", b"+PONG")

    def command(self):
        return [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--daemonize", "no", "--dir", self.folder]

    def requests(self, test, seconds=None, count=None):
        """(how many, how many a second)."""
        count = count or max(1000, int(self.speed * seconds))
        said = run_client("redis-benchmark", "-h", "127.0.0.1", "-p", str(self.port), "-t", test, "-n", str(count),
                          "-c", CLIENTS, "--csv")
        for line in csv.reader(said.splitlines()):
            if line and line[0].lower() == test:
                return count, float(line[1])
        raise RuntimeError(f"redis-benchmark said: {said}")

    def get(self, seconds):
        return self.requests("get", seconds=seconds)

    def warm_up(self):
        """Store the key; let sites be rewritten and buffers grow."""
        self.requests("set", count=1000)
        self.speed = self.requests("get", count=WARM_UP_REQUESTS)[1]


NGINX = """daemon off; master_process on; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log warn;
{user} events {{ worker_connections 256; }}
http {{ access_log {folder}/access.log; sendfile on; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
server {{ listen 127.0.0.1:{port}; root {folder}; }} }}
"""


class Nginx(Server):
    program, request, hello = "nginx", "GET of a small file", (b"GET /small.txt HTTP/1.0\r\n\r\n", b"HTTP/1.1 200")

    def command(self):
        with open(os.path.join(self.folder, "nginx.conf"), "w") as file:
            file.write(NGINX.format(folder=self.folder, port=self.port,
                                    user="user root;" if os.getuid() == 0 else ""))
        with open(os.path.join(self.folder, "small.txt"), "w") as file:
            file.write("small\n" * 100)
        return [self.program, "-c", os.path.join(self.folder, "nginx.conf"), "-p", self.folder, "-e", "error.log"]

    def worker(self):
        return int(read(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split()[0])

    def get(self, seconds):
        """wrk takes whole seconds."""
        said = run_client("wrk", "-t1", "-c" + CLIENTS, f"-d{max(1, round(seconds))}s",
                          f"http://127.0.0.1:{self.port}/small.txt")
        served = re.search(r"(\d+) requests in", said), re.search(r"Requests/sec: *([\d.]+)", said)
        if not all(served) or re.search(r"Non-2xx|Socket errors", said):
            raise RuntimeError(f"wrk said: {said}")
        return int(served[0][1]), float(served[1][1])

    def warm_up(self):
        self.get(1)


def measure_slice(server, seconds):
    """(requests per second, microseconds of the server's CPU per request)."""
    before = server.cpu_seconds()
    count, rate = server.get(seconds)
    if not count:
        raise RuntimeError(f"{server.name}: no request was answered in {seconds} s")
    return rate, (server.cpu_seconds() - before) / count * 1e6


def measure_servers(kinds, servers, seconds, slices):
    taken = {server: [] for server in servers}
    for i in range(slices):
        for server in harness.rotated(servers, i):
            taken[server].append(measure_slice(server, seconds))
    native_rates, native_cpu = zip(*taken[servers[0]])
    for kind, server in zip(kinds, servers):
        rates, cpu = zip(*taken[server])
        kind.rate.append(statistics.median(rates))
        kind.cpu_us.append(statistics.median(cpu))
        kind.rate_ratio.append(statistics.median(harness.ratios(rates, native_rates)))
        kind.cpu_ratio.append(statistics.median(harness.ratios(cpu, native_cpu)))


def check_agent(server):
    """Whether a hooked server really runs hooked, and with page zero where it should."""
    maps = server.maps()
    if "libzlazy.so" not in maps:
        raise RuntimeError(f"{server.name}: doesn't map libzlazy.so")
    if (server.kind.tactic == "zpoline") != maps.startswith("00000000-"):
        raise RuntimeError(f"{server.name}: page zero is {'not ' if server.kind.tactic == 'zpoline' else ''}there")


def measure_round(what, kinds, options, folder):
    servers = []
    try:
        for kind in kinds:
            servers.append(what(kind, folder))
        for server in servers:
            server.wait()
            server.warm_up()
            if server.kind.tactic:
                check_agent(server)
        measure_servers(kinds, servers, options.seconds / options.slices, options.slices)
    finally:
        for server in servers:
            server.stop()


def compare(what, kinds, report):
    for kind in kinds:
        report.row(f"{what.request}, {kind.name}", "/s", kind.rate)
        report.row(f"server CPU per request, {kind.name}", "us", kind.cpu_us)
    for kind in kinds[1:]:
        report.limit(f"throughput, {kind.name} / native", kind.rate_ratio, 0.97 if kind.tactic else None, at_least=True)
        report.limit(f"server CPU per request, {kind.name} / native", kind.cpu_ratio, 1.03 if kind.tactic else None)


def kinds_of(options):
    """A native server, and hooked ones; or with --native another native one, which shows the noise."""
    native = Kind("native", harness.native_environment())
    if options.native:
        return [native, Kind("native again", harness.native_environment())]
    count = harness.built(options, "examples", "count.so")
    harness.need_agent(options)
    tactics = [tactic for tactic in ("zpoline", "jump") if not harness.why_tactic_fails(options, tactic)]
    return [native, *(Kind(f"count hook, {tactic}", harness.agent_environment(options, tactic, count), tactic)
                      for tactic in tactics)]


def run(what, description, slices, seconds):
    """The whole of a bench; slices and seconds of each server, each round, unless told otherwise."""
    def more_options(parser):
        parser.add_argument("--seconds", type=float, default=seconds,
                            help="of a server, each round (default: %(default)s)")
        parser.add_argument("--slices", type=int, default=slices,
                            help="that a round is cut into (default: %(default)s)")

    options = harness.parse_options(description, extra=more_options)
    report = harness.Report(what.__name__.lower(), options)
    kinds = kinds_of(options)
    try:
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory(prefix="zlazy-bench-", ignore_cleanup_errors=True) as folder:
                measure_round(what, kinds, options, folder)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as wrong:
        report.fail(str(wrong))
    else:
        compare(what, kinds, report)
        report.note(f"{options.slices} slices of {options.seconds / options.slices:g} s to each server a round, "
                    f"{CLIENTS} clients, loopback; servers on processor {processors()[0]}, clients on {processors()[1]}")
    report.finish()
