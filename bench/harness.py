"""harness.py - what the benches share: options, the agent's environment, statistics, the report.

A bench makes a Report, adds rows (things measured) and limits (ratios, or differences, of two things measured in
the same round), and calls finish(). A limit is printed beside what was measured, as `within` or `over`. Where it is
of something that does not hang on the machine's mood (steady: memory), `over` always fails the bench. Times fail it
with --check, or, with --margin N, where they are over by more than that factor. What a program does (its output, its
status) may fail a bench: Report.fail().

Exit status: 0 measured; 1 something did not work, or is over a limit that counts; 2 wrong use, or not built;
77 this machine can't show it (the reason is printed).
"""
import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests"))
import common

SKIPPED = 77
REFUSED = 127  # the agent's own exit status, see README.md


def parse_options(description, rounds=7, extra=None):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", default=os.path.join(HERE, "..", "build"), help="build folder (default: ../build)")
    parser.add_argument("--rounds", type=int, default=rounds, help="interleaved rounds (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the results there")
    parser.add_argument("--native", action="store_true", help="only what needs no agent")
    parser.add_argument("--check", action="store_true", help="exit 1 when something is over its limit")
    parser.add_argument("--margin", type=float, metavar="N", help="exit 1 when a time is over N times its limit")
    if extra:
        extra(parser)
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    signal.signal(signal.SIGTERM, end_by_signal)
    return options


def end_by_signal(*_):
    """So that `finally` clauses also run when a bench is told to stop, and, told again, to their end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def stop(status, text):
    print(text, file=sys.stderr)
    sys.exit(status)


def built(options, *path):
    """A file of the build folder, which has to be there."""
    name = os.path.join(options.build, *path)
    if not os.path.exists(name):
        stop(2, f"{name}: not there; build first (scripts/quickstart, or cmake --build {options.build})")
    return name


def native_environment():
    """This environment without anything of the agent's, and with one language for everybody."""
    return {**{k: v for k, v in common.clean_environment().items() if k != "LANG"}, "LC_ALL": "C"}


def agent_variables(options, tactic, hook=None, **more):
    variables = {"LD_PRELOAD": built(options, "libzlazy.so"), "ZLAZY_TACTIC": tactic, "ZLAZY_QUIET": "1"}
    if hook:
        variables["ZLAZY_HOOK"] = hook
    return {**variables, **more}


def agent_environment(options, tactic, hook=None, **more):
    return {**native_environment(), **agent_variables(options, tactic, hook, **more)}


def why_tactic_fails(options, tactic, **more):
    """None if /bin/true runs under this tactic (and these settings), else what the agent says."""
    environment = agent_environment(options, tactic, **more)
    del environment["ZLAZY_QUIET"]
    done = subprocess.run(["/bin/true"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return None
    said = done.stderr.strip() or "nothing said"
    if done.returncode == REFUSED:
        return said
    stop(1, f"/bin/true under ZLAZY_TACTIC={tactic} ends with status {done.returncode}: {said}")


def need_agent(options):
    """Any agent at all. A refusal is a skip only where the kernel has no Syscall User Dispatch."""
    why = why_tactic_fails(options, "trap")
    if not why:
        return
    probe = [built(options, "bench", "loop"), "armed", "39", "1"]
    no_sud = subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == SKIPPED
    stop(SKIPPED if no_sud else 1, f"{'skipped' if no_sud else 'FAILED'}: the agent doesn't start: {why}")


def need_zpoline(options):
    """The rest of the bench makes no sense without page zero."""
    need_agent(options)
    why = why_tactic_fails(options, "zpoline")
    if why:
        stop(SKIPPED, f"skipped: no rewriting here (it needs root, or vm.mmap_min_addr=0). {why}")


class Report:
    def __init__(self, bench, options):
        self.bench = bench
        self.options = options
        self.rows = []
        self.limits = []
        self.notes = []
        self.failures = []

    def row(self, name, unit, samples, **more):
        """more: into the JSON as it is; group: which rows belong into one chart (bench/plot)."""
        self.rows.append({"name": name, "unit": unit, **more, **spread(samples)})

    def limit(self, name, samples, limit, at_least=False, unit="", steady=False):
        """Compare the median of samples (one a round) with a limit; limit None only shows it."""
        entry = {"name": name, "unit": unit, **spread(samples), "limit": limit, "at_least": at_least}
        entry["verdict"] = None
        if limit is not None:
            over_by = limit / max(entry["median"], 1e-9) if at_least else entry["median"] / limit
            entry["verdict"] = "over" if over_by > 1 else "within"
            margin = 1 if steady or self.options.check else self.options.margin
            if margin is not None and over_by > margin:
                self.fail(f"{name}: {number(entry['median'])} {unit} is over the limit of {number(limit)}"
                          + (f" by more than {margin:g} times" if margin > 1 else ""))
        self.limits.append(entry)

    def note(self, text):
        self.notes.append(text)

    def fail(self, text):
        self.failures.append(text)

    def print_rows(self):
        for r in self.rows:
            print(f"  {r['name']:<58} {number(r['median']):>9} {r['unit']:<4} {span(r)}")

    def finish(self):
        print(f"{self.bench}: {self.options.rounds} interleaved rounds, median (min .. max)")
        self.print_rows()
        for r in self.limits:
            print(f"  {r['name']:<58} {number(r['median']):>9} {r['unit']:<4} {span(r):<24} {verdict(r)}")
        for text in self.notes:
            print(f"  note: {text}")
        for text in self.failures:
            print(f"  FAILED: {text}")
        if self.options.json:
            with open(self.options.json, "w") as file:
                json.dump(self.as_dictionary(), file, indent=1)
                file.write("\n")
        sys.exit(1 if self.failures else 0)

    def as_dictionary(self):
        return {"bench": self.bench, "rounds": self.options.rounds, "machine": machine(), "rows": self.rows,
                "limits": self.limits, "notes": self.notes, "failures": self.failures}


def spread(samples):
    samples = list(samples)
    return {"median": statistics.median(samples), "min": min(samples), "max": max(samples), "samples": samples}


def number(value):
    digits = 3 if abs(value) < 10 else 1 if abs(value) < 10000 else 0
    return f"{value:.{digits}f}"


def span(entry):
    return f"({number(entry['min'])} .. {number(entry['max'])})"


def verdict(entry):
    if entry["limit"] is None:
        return ""
    sign = ">=" if entry["at_least"] else "<="
    return f"limit {sign} {number(entry['limit'])}{' ' + entry['unit'] if entry['unit'] else ''}: {entry['verdict']}"


def machine():
    model = "?"
    flags = []
    with open("/proc/cpuinfo") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            if key.strip() == "flags":
                flags = value.split()
                break
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(), "pku": "ospke" in flags}


def rotated(items, turn):
    """The items, beginning with another one each turn, so that none always follows the same neighbour."""
    items = list(items)
    turn %= len(items)
    return items[turn:] + items[:turn]


def ratios(above, below):
    """Round by round."""
    return [a / b for a, b in zip(above, below)]


def differences(left, right):
    return [a - b for a, b in zip(left, right)]
