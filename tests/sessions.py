"""One run of a real program: natively, or under the agent, or under the agent and the oracle.

A Session is given to a function of program_list.py. What the program shows goes into the transcript, line by line:
two sessions are the same if their transcripts are. Programs run in an empty folder whose path is the same in every
session; helpers (clients, file checks) always run natively. The session's own processes are ended by close().
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import common

INPUTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inputs")
ORACLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oracle.py")
PYTHON = "/usr/bin/python3"
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
START_SECONDS = 30
ORACLE_SLOWER = 4
STOPPING = False
LIVE = set()  # every started program; a session forgets its own at its end


class Trouble(Exception):
    """The run can't go on: a server doesn't answer, a program doesn't end."""


class Plan:
    """How a session runs its programs. tactic None: natively."""

    def __init__(self, build, tactic=None, hook="none", oracle=False, timeout=120):
        self.build, self.tactic, self.hook, self.oracle = build, tactic, hook, oracle
        self.timeout = timeout * (ORACLE_SLOWER if oracle else 1)


def plain_environment(home):
    """The same for everybody: no language, no settings of the user, nothing of the agent's."""
    kept = {k: v for k, v in os.environ.items() if k in ("USER", "LOGNAME")}
    return {**kept, "PATH": PATH, "LC_ALL": "C", "HOME": home, "TMPDIR": home, "TZ": "UTC0"}


def status_text(status):
    return f"exit {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"


def can_be_hooked(path):
    """A program that the dynamic linker starts, with no more rights than its parent's: the agent has to be in it."""
    if not os.path.exists(path) or os.stat(path).st_mode & 0o6000:
        return False
    headers = subprocess.run(["readelf", "-l", "-W", path], capture_output=True, text=True).stdout
    return re.search(r"^\s*INTERP\b", headers, re.M) is not None


class Session:
    def __init__(self, plan, folder, environment=None):
        self.plan, self.folder = plan, os.path.join(folder, "work")
        self.scratch = tempfile.mkdtemp(dir=folder)
        self.log, self.counters = os.path.join(self.scratch, "log"), None
        self.transcript, self.problems, self.processes = [], [], []
        self.replaced, self.endings = {}, []
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder)
        self.native = {**plain_environment(self.folder), **(environment or {})}
        self.hooked = {**self.native, **self.agent_variables()}

    def agent_variables(self):
        plan = self.plan
        if not plan.tactic:
            return {}
        variables = {"ZLAZY_LOG": self.log}
        hook = plan.hook
        if hook == "count":
            self.counters = os.path.join(self.scratch, "counters")
            common.make_counters(self.counters)
            hook = "count:" + self.counters
        if plan.oracle:
            self.oracle_hook = hook
            return variables
        if hook != "none":
            variables["ZLAZY_HOOK"] = common.hook_setting(plan.build, hook, self.scratch)
        library = os.path.join(plan.build, "libzlazy.so")
        return {**variables, "LD_PRELOAD": library, "ZLAZY_TACTIC": plan.tactic}

    def command(self, words):
        if not self.plan.oracle:
            return list(words)
        return [PYTHON, ORACLE, "--build", self.plan.build, "--tactic", self.plan.tactic, "--hook", self.oracle_hook,
                "--timeout", str(self.plan.timeout), "--scratch", self.scratch, "--", *words]

    # Files.

    def path(self, name):
        return os.path.join(self.folder, name)

    def take(self, *names):
        """Copy files of tests/inputs into the folder."""
        for name in names:
            shutil.copy(os.path.join(INPUTS, name), self.folder)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def open_to_all(self):
        """Programs that change to another user find their folder, and the agent its log and counters."""
        for path in (os.path.dirname(self.folder), self.scratch):
            os.chmod(path, 0o755)
        os.chmod(self.folder, 0o777)
        for path in filter(None, (self.log, self.counters)):
            with open(path, "ab"):
                os.chmod(path, 0o666)

    # Programs.

    def start(self, *words, quiet=False):
        """Start the program; finish() collects it. quiet: its output is no part of the transcript."""
        if STOPPING:
            raise Trouble("told to stop")
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        process = subprocess.Popen(self.command(words), env=self.hooked, cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=err, start_new_session=True)
        process.name, process.out, process.err, process.quiet = words[0], out, err, quiet
        self.processes.append(process)
        LIVE.add(process)
        return process

    def finish(self, process, seconds=None):
        """Wait for it, and note its status and output. Returns the output."""
        try:
            status = process.wait(seconds or self.plan.timeout)
        except subprocess.TimeoutExpired:
            raise Trouble(f"{process.name} does not end within {seconds or self.plan.timeout:g} s")
        output, errors = self.output_of(process)
        if self.plan.oracle:
            status_line, errors = self.judge(status, errors)
        else:
            status_line = status_text(status)
        self.note(f"{process.name}: {status_line}")
        if not process.quiet:
            self.note(output)
            self.note(errors)
        return output + errors

    @staticmethod
    def output_of(process):
        texts = []
        for file in (process.out, process.err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        return texts

    def judge(self, verdict, errors):
        """Take the oracle's report out of standard error. Returns (the program's status, the rest)."""
        report = [line for line in errors.splitlines() if line.startswith("oracle: ")]
        rest = "".join(line + "\n" for line in errors.splitlines() if not line.startswith("oracle: "))
        if verdict != 0:
            self.problems += report or [f"oracle: status {verdict}, no report"]
        for path in re.findall(r"^oracle: unhooked image: (.*) \(\d+ times\)$", "\n".join(report), re.M):
            if can_be_hooked(os.path.join(self.folder, path)):
                self.problems.append(f"oracle: never hooked: {path}")
        ended = re.search(r"; program: (?:exited with|killed by) (\w+)", "\n".join(report))
        if not ended:
            return "status unknown to the oracle", rest
        return (f"exit {ended[1]}" if ended[1].isdigit() else f"killed by {ended[1]}"), rest

    def run(self, *words):
        """Run the program to its end."""
        self.finish(self.start(*words))

    def helper(self, *words, show=True):
        """Run something beside the program, natively. Returns its output."""
        done = subprocess.run(words, env=self.native, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=self.plan.timeout)
        text = done.stdout.decode(errors="replace")
        if show:
            self.note(f"{os.path.basename(words[0])}: {status_text(done.returncode)}\n{text}")
        elif done.returncode != 0:
            raise Trouble(f"{words[0]}: {status_text(done.returncode)}: {text.strip()[-300:]}")
        return text

    def note(self, text):
        for old, new in self.replaced.items():
            text = text.replace(old, new)
        self.transcript += text.splitlines()

    # Servers.

    def free_port(self):
        """A TCP port of this machine; the transcript shows it as PORT."""
        port = common.free_port()
        self.replaced[str(port)] = "PORT"
        return port

    def wait_for(self, port, process):
        end = time.monotonic() + START_SECONDS * (ORACLE_SLOWER if self.plan.oracle else 1)
        while time.monotonic() < end:
            if process.poll() is not None:
                output, errors = self.output_of(process)
                raise Trouble(f"{process.name} ended at once: {(output + errors).strip()[-500:]}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Trouble(f"{process.name} doesn't listen")

    # The end.

    def check_hooked(self):
        """With the count hook, a hooked run has counted something."""
        if not self.counters:
            return
        with open(self.counters, "rb") as file:
            if not any(file.read()):
                self.problems.append("the count hook saw no call: was the agent there?")

    def log_lines(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return [f"log: {line.rstrip()}" for line in file.readlines()[-10:]]

    def at_end(self, function):
        """For what leaves the program's process group; it is called however the session ends."""
        self.endings.append(function)

    def close(self):
        for ending in self.endings:
            try:
                ending()
            except (OSError, subprocess.TimeoutExpired) as wrong:
                self.problems.append(str(wrong))
        for process in self.processes:
            end_group(process)
            LIVE.discard(process)
            process.out.close()
            process.err.close()
        self.processes = []


def stop_all():
    """From a signal handler: kill what runs; start() refuses from now on."""
    global STOPPING
    STOPPING = True
    for process in list(LIVE):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def end_group(process):
    """Nothing of a program's session stays: also not what it has left in the background."""
    for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        end = time.monotonic() + seconds
        while time.monotonic() < end and group_lives(process.pid):
            process.poll()
            time.sleep(0.02)
    process.wait()


def group_lives(group):
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False
