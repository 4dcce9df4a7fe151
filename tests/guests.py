#!/usr/bin/env python3
"""Run the guest programs natively and under the agent, and compare.

    tests/guests.py --build build                          every guest, tactics auto and trap, no hook
    tests/guests.py --build build --tactic trap --hook count sig_restart
    tests/guests.py --build build --native --repeat 20     the guests alone: are they deterministic?

A guest passes when its standard output, standard error and exit status (or signal) are the same as natively, and
the native run is as the guest expects (0, or what DIES says). Natively skipped (77) = skipped. The agent's own
notices go to a file by ZLAZY_LOG; they are shown with a failure.

--hook: none; clock, count, fake, deny: build/examples/NAME.so; another name: build/tests/hooks/NAME.so; else a path, with
or without `:argument`. With `fake` the native run has getpid answered with the same constant by strace.
Last line: `N passed, N failed, N skipped`. Exit status 1 if one failed, 2 if nothing could be run.
"""
import argparse
import concurrent.futures
import difflib
import os
import resource
import shlex
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import common
import machine

# Guests that natively die, by what signal.
DIES = {"null_read_dies": signal.SIGSEGV, "null_write_dies": signal.SIGSEGV, "null_call_dies": signal.SIGSEGV,
        "seccomp_signals": signal.SIGUSR1,
        "sig_sigsys_dies": signal.SIGSYS, "sig_segv_dies": signal.SIGSEGV, "sig_alarm_dies": signal.SIGALRM,
        "sig_core_dies": signal.SIGSEGV}
# Guests that need a page zero that can't be read: protection keys, or one of the tactics that don't map it.
NEEDS_PKU = {"null_read", "null_read_dies", "null_buffer"}
# What fake answers to getpid, so that kill(getpid()) reaches nobody: see needs_real_pid().
FAKE_PID = 4242


# What docs/LIMITS.md says is not done yet, or can't be; by guest, and the tactics that it is confined to, if any.
GAPS = {
    "gs_own": (None, "gs is the agent's (design row 17)"),
    "jit_rwx_redzone": ("zpoline", "code that changes around a site in writable memory is not judged anew (row 5)"),
    "jit_uffd_quiet_writes": ("zpoline jump", "who watches writes sees the agent's, too (row 7)"),
    "jump_function_copied_cave": ("zpoline", "copies without their mov are not recognised (row 3)"),
    "jump_number_is_code": ("zpoline", "a number that is the address of code goes there (row 4)"),
    "jump_text_copied": ("zpoline", "copies without their mov are not recognised (row 3)"),
    "life_proc_mem": ("zpoline", "writes through /proc/self/mem into rewritten code are not seen (row 2)"),
    "null_jump_low": ("zpoline", "the sled forgets where a jump landed (row 9)"),
    "proc_vm_killed": (None, "a child that is killed in the agent's lock leaves it locked (row 14)"),
}


def gap(name, tactic):
    """Why this guest can't pass; None if it can."""
    tactics, reason = GAPS.get(name, ("", None))
    meant = machine.default_tactic() if tactic == "auto" else tactic
    return "known gap, docs/LIMITS.md: " + reason if tactics is None or meant in tactics.split() else None


def needs_real_pid(source):
    """A guest says in its head comment that it needs its real process id."""
    try:
        with open(source, encoding="utf-8") as file:
            return "needs the real getpid" in file.read(1500)
    except OSError:
        return False


class Run:
    """One execution: command, environment additions; fills status, stdout, stderr."""

    def __init__(self, command, extra, timeout):
        environment = common.clean_environment(**extra)
        self.command, self.extra = command, extra
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True, cwd="/tmp")
        try:
            self.stdout, self.stderr = process.communicate(timeout=timeout)
            self.status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            self.stdout, self.stderr = process.communicate()
            self.status = "timeout"

    def status_text(self):
        if self.status == "timeout":
            return "timeout"
        if self.status < 0:
            return f"killed by {signal.Signals(-self.status).name}"
        return f"exit {self.status}"

    def shell(self):
        return " ".join([f"{k}={shlex.quote(v)}" for k, v in self.extra.items()] + [shlex.join(self.command)])


def difference(native, hooked):
    """Lines that say how the two differ; none if they don't."""
    lines = []
    if native.status != hooked.status:
        lines.append(f"status: natively {native.status_text()}, hooked {hooked.status_text()}")
    for name in ("stdout", "stderr"):
        before, after = getattr(native, name), getattr(hooked, name)
        if before != after:
            diff = difflib.unified_diff(before.decode(errors="replace").splitlines(),
                                        after.decode(errors="replace").splitlines(), "native", "hooked", "", n=1)
            lines += [f"{name}: {line}" for line in list(diff)[2:40]]
    return lines


def run_one(options, name, tactic, hook):
    """Returns (label, verdict, lines); verdict passed, failed or skipped."""
    label = f"{name} [{tactic}, {hook}]"
    program = os.path.join(options.build, "tests/guests", name)
    if hook == "fake" and needs_real_pid(os.path.join(options.source, name + ".c")):
        return label, "skipped", ["needs the real getpid"]
    if gap(name, tactic):
        return label, "skipped", [gap(name, tactic)]
    if tactic != "native" and machine.why_not(tactic):
        return label, "skipped", [machine.why_not(tactic)]
    if tactic == "zpoline" and name in NEEDS_PKU and not options.pku:
        return label, "skipped", ["no protection keys: page zero is readable under zpoline here"]
    with tempfile.TemporaryDirectory(prefix="zlazy-guest-") as scratch:
        command = [program]
        if hook == "fake":
            command = ["strace", "-f", "-o", "/dev/null", "-e", f"inject=getpid:retval={FAKE_PID}", program]
        native = Run(command, {}, options.timeout)
        if native.status == 77:
            return label, "skipped", [native.stdout.decode(errors="replace").strip().removeprefix("skip: ")]
        if native.status != (-DIES[name] if name in DIES else 0) or native.stderr:
            return label, "failed", [f"natively: {native.status_text()}",
                                     (native.stdout + native.stderr).decode(errors="replace").strip()[-500:],
                                     f"run: {native.shell()}"]
        if tactic == "native":
            return label, "passed", []
        log = os.path.join(scratch, "log")
        extra = {"LD_PRELOAD": os.path.join(options.build, "libzlazy.so"), "ZLAZY_TACTIC": tactic, "ZLAZY_LOG": log,
                 **options.set}
        if hook != "none":
            extra["ZLAZY_HOOK"] = common.hook_setting(options.build, hook, scratch)
        hooked = Run([program], extra, options.timeout)
        lines = difference(native, hooked)
        if lines and os.path.exists(log):
            with open(log, encoding="utf-8", errors="replace") as file:
                lines += [f"log: {line.rstrip()}" for line in file.readlines()[-10:]]
        if lines:
            extra = dict(extra, ZLAZY_LOG="/dev/stderr")
            again = " ".join(f"{k}={shlex.quote(v)}" for k, v in extra.items())
            lines.append(f"run: env {again} {program}")
    return label, "failed" if lines else "passed", lines


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--tactic", action="append", choices=machine.TACTICS,
                        help="default: auto and trap; may repeat")
    parser.add_argument("--hook", action="append", help="none, count, fake, a test hook or a path; may repeat")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a variable more; may repeat")
    parser.add_argument("--native", action="store_true", help="no agent: only the native runs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("names", nargs="*", help="guests; a trailing * matches a prefix")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.set = dict(word.split("=", 1) for word in options.set)
    options.source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guests")
    options.pku = machine.has_pku()
    return options


def choose(options):
    folder = os.path.join(options.build, "tests/guests")
    known = sorted(n for n in (os.listdir(folder) if os.path.isdir(folder) else ()) if "." not in n
                   and os.path.isfile(os.path.join(folder, n)) and os.access(os.path.join(folder, n), os.X_OK)
                   and n != "Makefile")
    chosen = []
    for name in options.names or ["*"]:
        match = [n for n in known if n == name or name.endswith("*") and n.startswith(name[:-1])]
        if not match:
            sys.exit(f"guests.py: no guest {name} in {folder}: build first")
        chosen += match
    return chosen


def main():
    options = parse_arguments()
    names = choose(options)
    if not options.native and not os.path.exists(os.path.join(options.build, "libzlazy.so")):
        print(f"guests.py: no {options.build}/libzlazy.so: build first, or --native")
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tactics = ["native"] if options.native else options.tactic or ["auto", "trap"]
    runs = [(n, t, h) for _ in range(options.repeat) for t in tactics for h in options.hook or ["none"] for n in names]
    count = {"passed": 0, "failed": 0, "skipped": 0}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for label, verdict, lines in pool.map(lambda run: run_one(options, *run), runs):
            count[verdict] += 1
            if verdict == "skipped":
                print(f"SKIP {label}: {'; '.join(lines)}")
            elif verdict == "failed":
                print(f"FAIL {label}:", *lines, sep="\n    ", flush=True)
    print(", ".join(f"{n} {verdict}" for verdict, n in count.items()))
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
