#!/usr/bin/env python3
"""The oracle: once the agent has started, no system call of a program enters the kernel from outside its gate.

    tests/oracle.py --build build -- ls -la /            exit 0: none; 1: strays, the first 20 listed; 2: no agent seen
    tests/oracle.py --build build --tactic trap --hook fake -- dash -c 'ls | wc'
    tests/oracle.py --build build --counts -- make -j2    the count hook's numbers against strace's
    tests/oracle.py --build build --log FILE              judge the saved output of an earlier run (--keep FILE)

How. The program runs under `strace -f -i -n` with the agent preloaded into it (not into strace). strace prints the
address after each `syscall` instruction. The gate is section zl_gate of libzlazy.so; where that lies in a process
image is read from the strace output: the first mmap of the descriptor that openat(".../libzlazy.so") gave. A task is
judged from its successful prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON) on; the child of a judged task from
its first call; a new image (execve) from its own prctl on. An image that never arms (static, setuid) is listed as
unhooked and is no stray; one that a signal kills while the linker still loads is not listed. The program's standard
output and error pass through; the report goes to standard error.

--counts. Calls of the program, by number, as the hook counted them (513 counters: 0..511; 512 the others, all 32-bit
calls among them) against those that strace saw enter from the gate, without the agent's own: these enter at the
symbols zl_raw_*_after. An image's calls count once it is armed and its count hook has closed the counters' file.
What can't match exactly, and what is then asked for:
 - a call that a signal interrupts and that is made again enters the kernel twice ("? ERESTART..."), but counts once:
   the hook's number may be lower by as many, and restart_syscall may be 0;
 - a call that the hook has counted may never be made: when a handled signal comes before it and the handler leaves by
   longjmp, or when the task is killed first (exit_group, execve, a signal): the hook's number may be higher by the
   handlers run plus the tasks killed (of all numbers together);
 - rt_sigreturn: the agent returns from its own handlers with it: not compared.
execve and exit need no exception: both sides count the attempt.
"""
import argparse
import collections
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import common
import machine

LINE = re.compile(r"(\d+) +(?:\[ *(-?\d+|\?+)\] +)?\[([0-9a-f?]+)\] (.*)$")
CALL = re.compile(r"(\w+|\?+)\((.*)$")
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)$")
RESULT = re.compile(r"\) += (0x[0-9a-f]+|-?\d+|\?)(?: (\w+))?[^=]*$")
ENDED = re.compile(r"\+\+\+ (exited with|killed by|superseded by execve in pid) (\w+)")
MODE = re.compile(r"\[ Process PID=(\d+) runs in (\d+) bit mode")
MAKERS = {"clone", "clone3", "fork", "vfork"}
EXECS = {"execve", "execveat"}
SHOWN, OTHERS, SIGRETURN, RESTART = 20, 512, 15, 219
FIRST_CALLS = 10  # no dynamic linker has opened the preloaded library before

Gate = collections.namedtuple("Gate", "start stop own")  # file offsets from the load address; own: a set
Stray = collections.namedtuple("Stray", "pid ip call")


class Image:
    """What execve made: where the agent lies in it, and whether it has started."""

    def __init__(self, path):
        self.path, self.base, self.fd, self.started = path, None, None, False
        self.calls, self.is_cut = 0, False  # cut: killed by a signal before the agent could start
        self.counters_fd, self.counting = None, False


class Task:
    def __init__(self, image, strict, bits=64):
        self.image, self.strict, self.bits = image, strict, bits
        self.pending = None  # (name, text) of an unfinished call
        self.exiting = False


class Oracle:
    """Feed it lines; then read strays, unhooked(), counts."""

    def __init__(self, gate, agent="libzlazy.so", counters=None):
        self.gate, self.agent, self.counters = gate, agent, counters
        self.tasks, self.images, self.strays = {}, [], []
        self.parents = collections.defaultdict(collections.deque)  # child: tids of the parents, oldest first
        self.born = {}  # child that has made no call yet: its maker's image and strict, as they were
        self.made, self.restarted = collections.Counter(), collections.Counter()
        self.calls = self.judged = self.handlers = self.killed = self.unclear = 0
        self.problems, self.status = [], None
        self.first = None

    def run(self, lines):
        lines = list(lines)
        self.find_parents(lines)
        for line in lines:
            self.feed(line)
        return self

    # Who made whom: a child's lines may come before its parent's clone has returned.
    def find_parents(self, lines):
        pending = {}
        for line in lines:
            match = LINE.match(line)
            if not match:
                continue
            pid, text = int(match[1]), match[4]
            resumed = RESUMED.match(text)
            call = None if resumed else CALL.match(text)
            name = resumed[1] if resumed else call[1] if call else None
            if call and text.endswith("<unfinished ...>"):
                pending[pid] = name
            elif name in MAKERS:
                result = RESULT.search(text)
                if result and result[1].isdigit() and int(result[1]) > 0:
                    self.parents[int(result[1])].append(pid)
                pending.pop(pid, None)
        self.lost_makers = [pid for pid, name in pending.items() if name in MAKERS]

    def task(self, pid):
        if pid in self.tasks:
            return self.tasks[pid]
        if not self.tasks and self.first is None:
            self.first = pid
            made = Task(Image("(before the first execve)"), False)
        else:
            parent, born = self.parents[pid].popleft() if self.parents[pid] else None, self.born.pop(pid, None)
            if born is None and parent not in self.tasks:  # its clone never returned to the log: the parent was killed
                parent = next((p for p in self.lost_makers if p in self.tasks), None)
            if born:  # the maker may have ended since, or called execve
                made = Task(*born)
            elif parent is None:
                self.problems.append(f"task {pid}: nobody made it")
                made = Task(Image("(unknown)"), False)
            else:
                made = Task(self.tasks[parent].image, self.tasks[parent].strict)
        self.tasks[pid] = made
        return made

    def feed(self, line):
        match = LINE.match(line)
        if not match:
            if line.strip():
                self.problems.append(f"not understood: {line.strip()[:100]}")
            return
        pid, number, ip, text = int(match[1]), match[2], match[3], match[4]
        task = self.task(pid)
        mode, ended, resumed = MODE.match(text), ENDED.match(text), RESUMED.match(text)
        if mode:
            task.bits = int(mode[2])
        elif ended:
            self.end(pid, task, ended)
        elif text.startswith("---"):
            self.handlers += not text.startswith(("--- SIGSYS", "--- stopped"))
        elif resumed:
            name, entry = task.pending or (resumed[1], "")
            task.pending = None
            self.leave(pid, task, name, entry, entry.removesuffix(" <unfinished ...>") + resumed[2], number)
        else:
            self.enter(pid, task, number, ip, text)

    def end(self, pid, task, ended):
        if ended[1].startswith("superseded"):  # execve in another thread: it goes on under this id
            other = self.tasks.pop(int(ended[2]), None)
            if other:
                self.tasks[pid] = other
            return
        if not task.exiting:
            self.killed += 1
        if ended[1].startswith("killed"):
            task.image.is_cut = task.image.base is not None or task.image.calls < FIRST_CALLS
        if pid == self.first:
            self.status = f"{ended[1]} {ended[2]}"
        del self.tasks[pid]

    def enter(self, pid, task, number, ip, text):
        call = CALL.match(text)
        if not call:
            self.problems.append(f"not understood: {pid} {text[:100]}")
            return
        if "?" in ip or "?" in call[1]:  # killed while strace looked
            self.unclear += 1
            return
        self.calls += 1
        image = task.image
        image.calls += 1
        task.exiting |= call[1] in ("exit", "exit_group")
        if task.strict:
            self.judged += 1
            offset = int(ip, 16) - image.base
            if not self.gate.start < offset <= self.gate.stop:
                self.strays.append(Stray(pid, ip, text[:160]))
            elif image.counting and offset not in self.gate.own:
                self.made[self.counter(task, number)] += 1
        if text.endswith("<unfinished ...>"):
            task.pending = (call[1], text)
        else:
            self.leave(pid, task, call[1], text, text, number)

    def counter(self, task, number):
        nr = int(number) & 0xffffffff if number and "?" not in number else OTHERS
        return nr if task.bits == 64 and nr < OTHERS else OTHERS

    # A call has returned; `text` is its whole line, put together.
    def leave(self, pid, task, name, entry, text, number):
        result = RESULT.search(text)
        value, error = (result[1], result[2]) if result else ("?", None)
        image = task.image
        if value == "?" and error and error.startswith("ERESTART") and task.strict:
            self.restarted[self.counter(task, number)] += 1
        if name in MAKERS and value.isdigit():
            if self.parents[int(value)] and self.parents[int(value)][0] == pid:
                self.born[int(value)] = (image, task.strict)
        elif name in EXECS and value == "0":
            path = re.search(r'"((?:[^"\\]|\\.)*)"', entry)
            task.image, task.strict, task.exiting = Image(path[1] if path else "?"), False, False
            self.images.append(task.image)
        elif name == "prctl" and "PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON" in entry and value == "0":
            self.arm(task)
        elif name == "prctl" and "PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF" in entry and value == "0":
            task.strict = image.started = False   # the agent only asked whether it may
        elif not image.started or not image.counting:
            self.look_for_agent(image, name, text, value)

    def arm(self, task):
        if task.image.base is None:
            self.problems.append(f"{task.image.path}: armed, but {self.agent} was not seen to be mapped")
            return
        task.strict = task.image.started = True
        if self.counters is None:
            task.image.counting = True

    def look_for_agent(self, image, name, text, value):
        if name in ("open", "openat") and value.isdigit():
            path = re.search(r'"((?:[^"\\]|\\.)*)"', text)
            if path and os.path.basename(path[1]) == self.agent and image.base is None:
                image.fd = value
            if path and path[1] == self.counters:
                image.counters_fd = value
        elif name == "mmap" and image.fd and image.base is None:
            arguments = text.split("(", 1)[1].split(", ")
            if len(arguments) >= 6 and arguments[4] == image.fd and value.startswith("0x"):
                image.base = int(value, 16)
        elif name == "close" and image.counters_fd and text.startswith(f"close({image.counters_fd})"):
            image.counting = True

    def unhooked(self):
        return [image.path for image in self.images if not image.started and not image.is_cut]

    def hooked(self):
        return [image.path for image in self.images if image.started]

    def compare(self, hook):
        """Rows (number, strace low, strace high, hook) that differ, after the exceptions in the head comment."""
        rows, slack = [], self.handlers + self.killed
        for number in range(OTHERS + 1):
            made, counted = self.made[number], hook[number]
            low = 0 if number == RESTART else made - self.restarted[number]
            if number == SIGRETURN or low <= counted <= made:
                continue
            if counted > made and counted - made <= slack:
                slack -= counted - made
                continue
            rows.append((number, low, made, counted))
        return rows


def read_gate(path):
    """Gate of an ELF file: section zl_gate, and the symbols zl_raw_*_after in it."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:5] != b"\x7fELF\x02":
        raise ValueError("not a 64-bit ELF file")
    offset, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3a)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]

    def text(table, at):
        start = sections[table][4] + at
        return data[start:data.index(b"\0", start)].decode()

    gate = next((s for s in sections if text(names, s[0]) == "zl_gate"), None)
    if gate is None:
        raise ValueError("no section zl_gate")
    own = set()
    for section in sections:
        if section[1] == 2:  # SHT_SYMTAB
            for at in range(section[4], section[4] + section[5], 24):
                name, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", data, at)
                if re.fullmatch(r"zl_raw_\w*after", text(section[6], name)):
                    own.add(value)
    return Gate(gate[3], gate[3] + gate[5], own)


def strace_command(options, log, counters):
    settings = {"LD_PRELOAD": os.path.join(options.build, "libzlazy.so"), "ZLAZY_TACTIC": options.tactic}
    if "ZLAZY_LOG" not in os.environ:
        settings["ZLAZY_QUIET"] = "1"
    if counters:
        settings["ZLAZY_HOOK"] = common.hook_setting(options.build, "count:" + counters)
    elif options.hook != "none":
        settings["ZLAZY_HOOK"] = common.hook_setting(options.build, options.hook)
    command = ["strace", "-f", "-i", "-n", "-q", "-o", log]
    for name, value in settings.items():
        command += ["-E", f"{name}={value}"]
    return command + ["--"] + options.program


def report(oracle, hook, out):
    for problem in oracle.problems[:SHOWN]:
        print(f"oracle: {problem}", file=out)
    for path, times in collections.Counter(oracle.unhooked()).items():
        print(f"oracle: unhooked image: {path} ({times} times)", file=out)
    for stray in oracle.strays[:SHOWN]:
        print(f"oracle: stray: {stray.pid} [{stray.ip}] {stray.call}", file=out)
    rows = oracle.compare(hook) if hook else []
    if rows:
        print(f"oracle: {'number':>8} {'strace':>17} {'hook':>10}", file=out)
    for number, low, made, counted in rows:
        strace = f"{made}" if low == made else f"{low}..{made}"
        print(f"oracle: {number if number < OTHERS else 'others':>8} {strace:>17} {counted:>10}", file=out)
    print(f"oracle: {oracle.calls} calls, {oracle.judged} judged, {len(oracle.hooked())} images hooked, "
          f"{len(oracle.unhooked())} unhooked, {oracle.unclear} unclear, {len(oracle.strays)} stray"
          + (f", {sum(oracle.made.values())} by the program, {len(rows)} counts differ" if hook else "")
          + f"; program: {oracle.status}", file=out)
    if not oracle.hooked():
        print("oracle: no agent seen: is it preloaded, and did it start?", file=out)
        return 2
    return 1 if oracle.strays or rows or any("armed, but" in p or "nobody made" in p for p in oracle.problems) else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--tactic", default="auto", choices=machine.TACTICS)
    parser.add_argument("--hook", default="none")
    parser.add_argument("--counts", action="store_true", help="run with the count hook and compare")
    parser.add_argument("--keep", metavar="FILE", help="leave strace's output there")
    parser.add_argument("--log", metavar="FILE", help="judge this strace output, run nothing")
    parser.add_argument("--scratch", metavar="FOLDER", help="for temporary files, if the program may look into TMPDIR")
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("program", nargs="*")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    if bool(options.program) == bool(options.log):
        parser.error("name a program, or --log")
    return options


def main():
    options = parse_arguments()
    try:
        gate = read_gate(os.path.join(options.build, "libzlazy.so"))
    except (OSError, ValueError) as error:
        print(f"oracle: {options.build}/libzlazy.so: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="zlazy-oracle-", dir=options.scratch) as scratch:
        log = options.log or options.keep or os.path.join(scratch, "strace")
        counters = os.path.join(scratch, "counters") if options.counts else None
        if counters:
            if not gate.own:
                print("oracle: no symbol zl_raw_*_after: the agent's own calls can't be told apart", file=sys.stderr)
                return 2
            common.make_counters(counters)
        if not options.log:
            try:
                subprocess.run(strace_command(options, log, counters), timeout=options.timeout, check=False)
            except subprocess.TimeoutExpired:
                print(f"oracle: stopped after {options.timeout:g} s", file=sys.stderr)
        with open(log, encoding="utf-8", errors="replace") as lines:
            oracle = Oracle(gate, counters=counters).run(line.rstrip("\n") for line in lines)
        hook = None
        if counters:
            with open(counters, "rb") as file:
                hook = struct.unpack(f"<{OTHERS + 1}Q", file.read(8 * (OTHERS + 1)))
        return report(oracle, hook, sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
