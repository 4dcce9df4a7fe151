"""batches.py - the programs of bench/apps that run and end: sqlite3, tar, find, git, make, python3.

A round runs each under each mechanism, one after the other, some times over, in a rotated order. Measured are the time
from start to end and the CPU time of the program and all that it starts, strace's own included. Each run has to end
with status 0 and give what the first native one gave, and what the mechanism has counted is compared with what the
program must have asked of the kernel.
"""
import hashlib
import os
import shutil
import signal
import subprocess
import time

import harness
import sessions
from mechanisms import CPU, TIME
from program_list import GIT

FILES = 20000
FOLDERS = 200
SOURCES = 40
INSERTS = 1000
SECONDS = 300   # after which a run hangs
PYTHON = "/usr/bin/python3"


def on_alarm(*_):
    raise RuntimeError(f"not finished after {SECONDS} s")


def write(name, text):
    with open(name, "w", encoding="ascii") as file:
        file.write(text)


def make_files(folder):
    """What tar, find and git work on; made once."""
    tree = os.path.join(folder, "tree")
    if not os.path.isdir(tree):
        for i in range(FILES):
            if i < FOLDERS:
                os.makedirs(os.path.join(tree, "files", str(i)))
            write(os.path.join(tree, "files", str(i % FOLDERS), f"file{i}"), f"{i} of {FILES}\n" * (i % 50))
    return tree


class Batch:
    """needs; times: runs to a sample; least: system calls of one run; prepare(folder), once; command(); result()."""

    needs, times, is_limited, input, environment = (), 1, False, os.devnull, {}

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.name = type(self).title
        self.output = os.path.join(folder, "output")
        self.expected = None
        self.prepare()

    @classmethod
    def why_not(cls, options):
        missing = [word for word in cls.needs if not shutil.which(word, path=sessions.PATH)]
        return f"not installed: {', '.join(missing)}" if missing else None

    def prepare(self):
        pass

    def path(self, name):
        return os.path.join(self.folder, name)

    def natively(self, *words):
        subprocess.run(words, env={**sessions.plain_environment(self.folder), **GIT}, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, check=True)

    def clear(self):
        """Before a run: take away what the last one has made."""

    def result(self):
        """The file that tells what a run has done."""
        return self.output

    def run(self, use):
        """(seconds, seconds of CPU) of one run."""
        self.clear()
        words = [*use.words, *self.command()]
        environment = {**sessions.plain_environment(self.folder), **self.environment, **use.variables}
        to_file = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        files = [(os.POSIX_SPAWN_OPEN, 0, self.input, os.O_RDONLY, 0),
                 (os.POSIX_SPAWN_OPEN, 1, self.output, to_file, 0o600),
                 (os.POSIX_SPAWN_OPEN, 2, self.path("errors"), to_file, 0o600)]
        signal.signal(signal.SIGALRM, on_alarm)
        signal.alarm(SECONDS)
        start = time.monotonic()
        pid = os.posix_spawn(shutil.which(words[0], path=sessions.PATH), words, environment, file_actions=files,
                             setpgroup=0)
        try:
            _, status, usage = os.wait4(pid, 0)
        except BaseException:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        finally:
            signal.alarm(0)
        seconds = time.monotonic() - start
        self.check(use.mechanism.name, os.waitstatus_to_exitcode(status))
        use.check(self.name, self.least)
        return seconds, usage.ru_utime + usage.ru_stime

    def check(self, name, status):
        with open(self.path("errors"), "rb") as file:
            said = file.read()
        if status != 0 or said:
            raise RuntimeError(f"{self.name}, {name}: status {status}: {said[-300:].decode(errors='replace')}")
        with open(self.result(), "rb") as file:
            digest = hashlib.file_digest(file, "sha256") if hasattr(hashlib, "file_digest") \
                else hashlib.sha256(file.read())
        self.expected = self.expected or digest.digest()
        if digest.digest() != self.expected:
            raise RuntimeError(f"{self.name}, {name}: {self.result()} is not as natively")


class Sqlite(Batch):
    title, needs, times, least = f"sqlite3, {INSERTS} transactions", ("sqlite3",), 2, 5 * INSERTS

    def prepare(self):
        self.input = self.path("script")
        rows = "".join(f"insert into t values({i}, 'text {i}');\n" for i in range(INSERTS))
        write(self.input, f"pragma synchronous=off;\ncreate table t(n integer primary key, s text);\n{rows}"
                          "select count(*), sum(n), max(s) from t;\n")

    def clear(self):
        if os.path.exists(self.path("database")):
            os.remove(self.path("database"))

    def command(self):
        return ["sqlite3", "-batch", self.path("database")]


class Tar(Batch):
    title, needs, least = f"tar, {FILES} files", ("tar",), 4 * FILES

    def prepare(self):
        make_files(self.folder)

    def command(self):
        return ["tar", "-C", self.path("tree"), "--sort=name", "-cf", self.path("archive"), "files"]

    def result(self):
        return self.path("archive")


class Find(Batch):
    title, needs, times, least = f"find, {FILES} files", ("find",), 4, FILES

    def prepare(self):
        make_files(self.folder)

    def command(self):
        return ["find", self.path("tree/files"), "-type", "f", "-size", "+1", "-printf", "%p %s\n"]


class Git(Batch):
    title, needs, times, least = f"git status, {FILES} files", ("git",), 4, FILES
    environment = {**GIT, "GIT_OPTIONAL_LOCKS": "0"}

    def prepare(self):
        tree = make_files(self.folder)
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "all")):
            self.natively("git", "-C", tree, *words)
        write(os.path.join(tree, "new"), "not there before\n")
        # An index as old as the files would make each status read them all.
        time.sleep(1)
        self.natively("git", "-C", tree, "update-index", "--refresh", "--really-refresh")

    def command(self):
        return ["git", "-C", self.path("tree"), "status", "--porcelain"]


MAKEFILE = """SOURCES := $(wildcard source*.c)
$(OUT)/program: $(SOURCES:%.c=$(OUT)/%.o)
	$(CC) -o $@ $^
$(OUT)/%.o: %.c all.h
	@mkdir -p $(OUT)
	$(CC) -O1 -c -o $@ $<
"""


class Make(Batch):
    title, needs, least = f"make -j2, {SOURCES} C files", ("make", "gcc"), SOURCES * 200
    environment = {"CC": "gcc"}

    def prepare(self):
        os.mkdir(self.path("project"))
        names = [f"f{i}" for i in range(SOURCES)]
        write(self.path("project/all.h"), "".join(f"int {name}(int);\n" for name in names))
        write(self.path("project/Makefile"), MAKEFILE)
        for i, name in enumerate(names):
            text = f'#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include "all.h"\n'
            text += f'int {name}(int n)\n{{\n\treturn n > 0 ? {names[(i + 7) % SOURCES]}(n - 1) + {i} : abs({i});\n}}\n'
            write(self.path(f"project/source{i}.c"),
                  text + ('int main(void)\n{\n\treturn printf("%d\\n", f0(100)) < 0;\n}\n' if i == 0 else ""))

    def clear(self):
        shutil.rmtree(self.path("out"), ignore_errors=True)

    def command(self):
        return ["make", "-s", "-j2", "-C", self.path("project"), f"OUT={self.path('out')}"]

    def result(self):
        return self.path("out/program")


class Python(Batch):
    title, needs, times, least = "python3, start-up", (PYTHON,), 20, 100

    def command(self):
        return [PYTHON, "-c", "print(6 * 7)"]


def measure_round(batch, mechanisms, turn, folder, figures):
    taken = {}
    for mechanism in harness.rotated(mechanisms, turn):
        if (batch.name, mechanism.name) in figures.left_out:
            continue
        try:
            runs = [batch.run(mechanism.use(folder)) for _ in range(batch.times)]
        except RuntimeError as wrong:
            if mechanism.key != "sud":
                raise
            figures.left_out[batch.name, mechanism.name] = wrong
            continue
        seconds, cpu = (sum(times) / len(times) for times in zip(*runs))
        taken[mechanism.name] = [{TIME: seconds * 1e3, CPU: cpu * 1e6}]
    for name, samples in taken.items():
        figures.add(batch, name, samples, taken[mechanisms[0].name])
