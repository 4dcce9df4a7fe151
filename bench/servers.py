"""servers.py - the servers of bench/apps: redis, nginx, memcached, PostgreSQL, each under a load.

A round starts a fresh server under each mechanism, nothing persistent, in a folder of their own. All stay up for the
round, on all processors but the last, while the client, never hooked, runs on the last one against one and the other in
short slices, A B C, B C A, C A B ...; the round's figure is the median slice, its ratios the median of the ratios of
neighbouring slices. (On a virtual machine two slices differ by 10% of CPU and 20% of throughput whatever their length:
many short ones tell more than one long.) CPU is what the scheduler counted for all of a server's processes, strace's
own included. Each client looks at the replies, and what the mechanism has counted is compared with the requests.
"""
import collections
import contextlib
import csv
import os
import pwd
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
import urllib.request

import harness
import common
import sessions
from mechanisms import CPU, P99, RATE
from services_list import as_user, postgresql_folder

CLIENTS = 50
WAIT_SECONDS = 20
CLIENT_SECONDS = 120    # after which a client hangs, or its server
TICK = os.sysconf("SC_CLK_TCK")

# What is measured of a server: a name, the client's words, how many system calls one request takes at least, and
# whether the report has limits for it.
Load = collections.namedtuple("Load", "name words least is_limited", defaults=(False,))
Served = collections.namedtuple("Served", "count rate p99")     # requests, a second, milliseconds or None


def processors():
    """(of the servers, of the client)."""
    usable = sorted(os.sched_getaffinity(0))
    return set(usable[:-1] or usable), {usable[-1]}


def read(name):
    with open(name, encoding="utf-8", errors="replace") as file:
        return file.read()


def processes(pid):
    """This one and all below it that are there."""
    found = [pid]
    for parent in found:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                found += [int(child) for child in read(f"/proc/{parent}/task/{task}/children").split()]
        except OSError:
            pass
    return found


def cpu_of(pid):
    """Seconds: of its threads, in nanoseconds where the kernel counts so, else in ticks; of ended children in ticks."""
    try:
        ticks = [int(field) for field in read(f"/proc/{pid}/stat").rpartition(")")[2].split()[11:15]]
        try:
            threads = os.listdir(f"/proc/{pid}/task")
            own = sum(int(read(f"/proc/{pid}/task/{task}/schedstat").split()[0]) for task in threads) / 1e9
        except OSError:
            own = sum(ticks[:2]) / TICK
        return own + sum(ticks[2:]) / TICK
    except OSError:
        return 0


def run_client(*command):
    """What a client says that runs on its own processor."""
    done = subprocess.run(command, env=sessions.plain_environment("/"), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, preexec_fn=lambda: os.sched_setaffinity(0, processors()[1]),
                          timeout=CLIENT_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


class Server:
    """Of one program: needs, loads, slice_seconds, command(), serve(). Where the prepared files lie: prepare()."""

    hello, slice_seconds, needs = None, 0.25, ()

    def __init__(self, mechanism, folder, prepared):
        self.name, self.mechanism, self.prepared = mechanism.name, mechanism, prepared
        self.port = common.free_port()
        self.folder = os.path.join(folder, re.sub(r"\W+", "-", self.name))
        os.mkdir(self.folder)
        self.use = mechanism.use(self.folder)
        self.log = os.path.join(self.folder, "log")
        self.requests = collections.Counter()   # by load
        environment = {**sessions.plain_environment(self.folder), **self.use.variables}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*self.use.words, *self.command()], env=environment, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True,
                                            preexec_fn=lambda: os.sched_setaffinity(0, processors()[0]))

    @classmethod
    def why_not(cls, options):
        """None if it can run here."""
        missing = [word for word in cls.needs if not shutil.which(word, path=sessions.PATH)]
        return f"not installed: {', '.join(missing)}" if missing else None

    @classmethod
    def prepare(cls, folder):
        """Once, natively: what all servers of the bench start from."""

    def wait(self):
        """Until it answers; raises RuntimeError if it doesn't."""
        end = time.monotonic() + WAIT_SECONDS
        while not self.answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name}: ended with status {self.process.returncode}: {self.last_words()}")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name}: doesn't answer after {WAIT_SECONDS} s: {self.last_words()}")
            time.sleep(0.05)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as s:
                s.sendall(self.hello[0])
                return s.recv(100).startswith(self.hello[1])
        except OSError:
            return False

    def warm_up(self):
        """Let sites be rewritten and buffers grow."""
        for load in self.loads:
            self.ask(load, max(0.1, self.slice_seconds))

    def ask(self, load, seconds):
        """As long as it takes: on a busy machine a traced server may take more than a second for the connections."""
        while seconds < WAIT_SECONDS:
            served = self.serve(load, seconds)
            self.requests[load] += served.count
            if served.count > 0:
                return served
            seconds = 2 * max(seconds, 1)
        raise RuntimeError(f"{self.name}: no request was answered in {seconds / 2:g} s")

    def last_words(self):
        return " | ".join(read(self.log).split("\n")[-4:])

    def main(self):
        """The process that the server itself began as."""
        below = processes(self.process.pid)
        return below[1] if self.mechanism.key == "strace" and len(below) > 1 else below[0]

    def cpu_seconds(self):
        return sum(map(cpu_of, processes(self.process.pid)))

    def settle(self):
        """Wait for what a request leaves behind."""

    def check_maps(self):
        """Of all processes; one that is just ending has no map."""
        main = self.main()
        for pid in processes(main):
            try:
                text = read(f"/proc/{pid}/maps")
            except OSError:
                text = ""
            if text or pid == main:
                self.use.check_map(type(self).__name__.lower(), text)

    def check_calls(self):
        """After its end, for strace."""
        self.use.check(type(self).__name__.lower(), sum(int(n * load.least) for load, n in self.requests.items()))

    def stop(self):
        """Whatever is left of it then, workers without a master included, is killed."""
        if self.process.poll() is None:
            left = processes(self.process.pid)[1:]
            try:
                os.kill(self.main(), self.stop_signal)
                self.process.wait(WAIT_SECONDS)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                self.kill(left)
                self.process.kill()
                self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    @staticmethod
    def kill(pids):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    stop_signal = 15


class Redis(Server):
    needs = ("redis-server", "redis-benchmark")
    hello = b"PING\r\n", b"+PONG"
    loads = (Load("redis GET", ("-t", "get"), 2, True), Load("redis SET", ("-t", "set"), 2),
             Load("redis GET, pipelined", ("-t", "get", "-P", "16"), 2 / 16))
    least_requests = 1600

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--daemonize", "no", "--dir", self.folder]

    def warm_up(self):
        """The first reply to each load also tells how many requests there are in a slice."""
        self.rates = {}
        run_client("redis-cli", "-p", str(self.port), "set", "key:__rand_int__", "xxx")
        for load in self.loads:
            self.rates[load] = self.ask(load, 0).rate

    def serve(self, load, seconds):
        count = max(self.least_requests, int(self.rates.get(load, 0) * seconds) // 16 * 16)
        said = run_client("redis-benchmark", "-h", "127.0.0.1", "-p", str(self.port), *load.words, "-n", str(count),
                          "-c", str(CLIENTS), "--csv")
        lines = list(csv.reader(said.splitlines()))
        # Before 7.0 there were neither titles nor latencies.
        titles = lines[0] if lines and lines[0][0] == "test" else ["test", "rps"]
        for line in lines:
            if line and line[0].lower() == load.words[1]:
                values = dict(zip(titles, line))
                p99 = values.get("p99_latency_ms")
                return Served(count, float(values["rps"]), p99 and float(p99))
        raise RuntimeError(f"redis-benchmark said: {said}")


NGINX = """daemon off; master_process on; worker_processes {workers}; pid {folder}/pid;
error_log {folder}/error.log warn; {user} events {{ worker_connections 256; }}
http {{ access_log {folder}/access.log; sendfile on; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
server {{ listen 127.0.0.1:{port}; root {folder}; }} }}
"""
PAGES = {"/64": "64 bytes\n" * 7 + "\n", "/64k": "0123456789abcde\n" * 4096}
UNITS = {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}


class Nginx(Server):
    needs = ("nginx", "wrk")
    hello = b"GET /64 HTTP/1.0\r\n\r\n", b"HTTP/1.1 200"
    slice_seconds = 1       # wrk takes whole seconds
    workers = 1
    loads = (Load("nginx, 64 bytes", "/64", 2, True), Load("nginx, 64 KiB", "/64k", 2))

    def command(self):
        with open(os.path.join(self.folder, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(NGINX.format(folder=self.folder, port=self.port, workers=self.workers,
                                    user="user root;" if os.getuid() == 0 else ""))
        for page, text in PAGES.items():
            with open(self.folder + page, "w", encoding="ascii") as file:
                file.write(text)
        return ["nginx", "-c", os.path.join(self.folder, "nginx.conf"), "-p", self.folder, "-e", "error.log"]

    def url(self, page):
        return f"http://127.0.0.1:{self.port}{page}"

    def warm_up(self):
        for page, text in PAGES.items():
            with urllib.request.urlopen(self.url(page), timeout=WAIT_SECONDS) as reply:
                if reply.read() != text.encode():
                    raise RuntimeError(f"{self.name}: {page} is another page")
        super().warm_up()

    def serve(self, load, seconds):
        said = run_client("wrk", "--latency", "-t1", f"-c{CLIENTS}", f"-d{max(1, round(seconds))}s",
                          self.url(load.words))
        served = [re.search(words, said) for words in (r"(\d+) requests in", r"Requests/sec: *([\d.]+)",
                                                       r"99% +([\d.]+)(us|ms|s|m)")]
        if not all(served) or re.search(r"Non-2xx|Socket errors", said):
            raise RuntimeError(f"wrk said: {said}")
        count, rate, p99 = served
        return Served(int(count[1]), float(rate[1]), float(p99[1]) * UNITS[p99[2]])


class NginxTwo(Nginx):
    """Two workers."""

    workers = 2
    loads = (Load("nginx x2, 64 bytes", "/64", 2), Load("nginx x2, 64 KiB", "/64k", 2))


class Memcached(Server):
    needs = ("memcached",)
    hello = b"version\r\n", b"VERSION"
    loads = (Load("memcached, get", (), 2),)

    def command(self):
        return ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0",
                *(("-u", "root") if os.getuid() == 0 else ())]

    def serve(self, load, seconds):
        program = harness.built(self.mechanism.options, "bench", "mcload")
        count, rate, p99 = run_client(program, str(self.port), str(CLIENTS), str(seconds)).split()
        return Served(int(count), float(rate), float(p99) / 1e3)


class Postgres(Server):
    needs = (f"{postgresql_folder()}/postgres", "setpriv")
    slice_seconds = 1
    # Scripts with nothing that all clients write: reads, and reads with two writes.
    loads = (Load("postgres, pgbench -S", ("-S",), 2), Load("postgres, pgbench -N", ("-N",), 6))
    clients = 4
    stop_signal = 2     # don't wait for anybody

    @classmethod
    def why_not(cls, options):
        missing = super().why_not(options)
        if missing or os.getuid() != 0:
            return missing
        if "postgres" not in (user.pw_name for user in pwd.getpwall()):
            return "no user postgres"
        library = harness.built(options, "libzlazy.so")
        can = subprocess.run([*cls.user(), "test", "-r", library], stderr=subprocess.DEVNULL).returncode == 0
        return None if can else f"the user postgres can't read {library}"

    @staticmethod
    def user():
        return as_user("postgres") if os.getuid() == 0 else ()

    @classmethod
    def prepare(cls, folder):
        """An empty cluster."""
        os.chmod(folder, 0o755)
        data = os.path.join(folder, "data")
        os.mkdir(data)
        if cls.user():
            shutil.chown(data, "postgres")
        run_client(*cls.user(), f"{postgresql_folder()}/initdb", "-D", data, "-A", "trust", "-N", "--locale=C",
                   "--no-instructions", "-U", "postgres")

    def command(self):
        os.chmod(self.folder, 0o755)
        data = os.path.join(self.folder, "data")
        subprocess.run(["cp", "-a", os.path.join(self.prepared, "data"), data], check=True)
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "autovacuum": "off",
                    "shared_buffers": "32MB"}
        return [*self.user(), f"{postgresql_folder()}/postgres", "-D", data, "-p", str(self.port), "-F",
                *(word for setting in settings.items() for word in ("-c", "=".join(setting)))]

    def pgbench(self, *words):
        return run_client(f"{postgresql_folder()}/pgbench", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres",
                          *words, "postgres")

    def answers(self):
        words = [f"{postgresql_folder()}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(words, env=sessions.plain_environment("/")).returncode == 0

    def warm_up(self):
        self.pgbench("-i", "-q", "-s", "1")
        self.idle = len(processes(self.process.pid))
        super().warm_up()

    def settle(self):
        """The backends have ended, and their CPU time counts as the server's."""
        end = time.monotonic() + 5
        while len(processes(self.process.pid)) > self.idle:
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name}: backends don't end 5 s after their clients")
            time.sleep(0.005)

    def serve(self, load, seconds):
        log = os.path.join(self.folder, "transactions")
        said = self.pgbench("-n", *load.words, "-M", "prepared", "-c", str(self.clients), "-T",
                            str(max(1, round(seconds))), "-l", "--log-prefix", log)
        count, failed, rate = (re.search(words, said) for words in (
            r"transactions actually processed: (\d+)", r"failed transactions: (\d+)", r"tps = ([\d.]+)"))
        if not count or not rate or not failed or int(failed[1]) != 0:
            raise RuntimeError(f"pgbench said: {said}")
        latencies = []
        for name in [name for name in os.listdir(self.folder) if name.startswith("transactions")]:
            latencies += [int(line.split()[2]) for line in read(os.path.join(self.folder, name)).splitlines()]
            os.remove(os.path.join(self.folder, name))
        return Served(int(count[1]), float(rate[1]), statistics.quantiles(latencies, n=100)[98] / 1e3)


def measure_slice(server, load, seconds):
    server.settle()
    before = server.cpu_seconds()
    served = server.ask(load, seconds)
    server.settle()
    cpu = (server.cpu_seconds() - before) / served.count * 1e6
    return {RATE: served.rate, CPU: cpu, **({} if served.p99 is None else {P99: max(served.p99, 1e-3)})}


def measure_load(servers, load, seconds, figures):
    taken = {server: [] for server in servers}
    for i in range(max(1, round(seconds / servers[0].slice_seconds))):
        for server in harness.rotated(servers, i):
            taken[server].append(measure_slice(server, load, server.slice_seconds))
    for server in servers:
        figures.add(load, server.name, taken[server], taken[servers[0]])


def bring_up(server):
    """See that it works."""
    server.wait()
    server.check_maps()
    server.warm_up()


def measure_round(what, mechanisms, seconds, folder, prepared, figures):
    servers = []
    try:
        for mechanism in mechanisms:
            if (what.__name__, mechanism.name) in figures.left_out:
                continue
            server = what(mechanism, folder, prepared)
            servers.append(server)
            try:
                bring_up(server)
            except (OSError, RuntimeError) as wrong:
                if mechanism.key != "sud":
                    raise
                figures.left_out[what.__name__, mechanism.name] = wrong
                servers.remove(server)
                server.stop()
        for load in what.loads:
            measure_load(servers, load, seconds, figures)
    finally:
        for server in servers:
            server.stop()
    for server in servers:
        server.check_calls()
