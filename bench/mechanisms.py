"""mechanisms.py - the ways to run a program that bench/apps compares, and what proves that each was at work.

native; zlazy without a hook, with the count hook, with a hook that wants every call and preserves everything
(programs/probe.c); Syscall User Dispatch alone (programs/sud_only.c); `strace -f -c`. All but the first two count the
calls that they see: in a file that all processes share, strace in its table.
"""
import collections
import os
import re
import shutil
import statistics
import struct
import subprocess

import harness
import common
import sessions

NAMES = {"native": "native", "none": "no hook", "count": "count hook", "preserve": "preserving hook", "sud": "SUD only",
         "strace": "strace"}
AGENT = ("none", "count", "preserve")
LEAST_OF_CAT = 5    # calls that cat makes

Measure = collections.namedtuple("Measure", "name unit")
RATE, CPU, P99, TIME = (Measure(*words) for words in (("throughput", "/s"), ("CPU", "us"), ("p99", "ms"),
                                                      ("time", "ms")))


class Mechanism:
    def __init__(self, options, key, tactic=None, number=""):
        self.options, self.key, self.tactic = options, key, tactic
        self.name = NAMES[key] + (f", {tactic}" if number else "")

    def use(self, folder):
        return Use(self, os.path.join(folder, "calls"))


class Use:
    """A mechanism at work: words before the program's own, variables of its environment, the calls that it has seen."""

    def __init__(self, mechanism, file):
        self.mechanism, self.file = mechanism, file
        self.words, self.variables = [], {}
        common.make_counters(file)
        os.chmod(file, 0o666)   # a server may have become another user
        options, key = mechanism.options, mechanism.key
        if key == "strace":
            self.words = ["strace", "-f", "-c", "-U", "calls,name", "-o", file]
        elif key == "sud":
            self.variables = {"LD_PRELOAD": harness.built(options, "bench", "sud_only.so"), "SUD_ONLY_COUNT": file}
        elif key in AGENT:
            hook = {"count": harness.built(options, "examples", "count.so") + f":{file}",
                    "preserve": harness.built(options, "bench", "probe.so") + f":every={file}"}.get(key)
            self.variables = harness.agent_variables(options, mechanism.tactic, hook)

    def calls(self):
        """None where nothing counts; of strace only after its end."""
        if self.mechanism.key in ("native", "none"):
            return None
        with open(self.file, "rb") as file:
            text = file.read()
        if self.mechanism.key == "strace":
            total = re.search(rb"^ *(\d+) total$", text, re.M)
            return int(total[1]) if total else 0
        return sum(struct.unpack(f"{len(text) // 8}Q", text))

    def check(self, what, least):
        """Raises RuntimeError if fewer calls were seen than the program must have made."""
        calls = self.calls()
        if calls is not None and calls < least:
            raise RuntimeError(f"{what}, {self.mechanism.name}: {calls} calls were seen, not at least {least}")

    def library(self):
        """The file that has to be in the program's map, or None."""
        return {"sud": "sud_only.so", **dict.fromkeys(AGENT, "libzlazy.so")}.get(self.mechanism.key)

    def check_map(self, what, text):
        """Raises RuntimeError if this map of a process doesn't show the mechanism at work."""
        tactic = self.mechanism.tactic
        if self.library() and self.library() not in text:
            raise RuntimeError(f"{what}, {self.mechanism.name}: doesn't map {self.library()}")
        if tactic in ("zpoline", "jump") and (tactic == "zpoline") != text.startswith("00000000-"):
            raise RuntimeError(f"{what}, {self.mechanism.name}: page zero is {'not ' * (tactic == 'zpoline')}there")


def why_not(mechanism, folder):
    """None if it can be used here, else what went wrong; by one short program."""
    if mechanism.key == "strace" and not shutil.which("strace", path=sessions.PATH):
        return "not installed"
    use = mechanism.use(folder)
    done = subprocess.run([*use.words, "cat", "/proc/self/maps"], env={**harness.native_environment(), **use.variables},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        return f"status {done.returncode}: {done.stderr.strip()[-300:]}"
    try:
        use.check_map("cat", done.stdout)
        use.check("cat", LEAST_OF_CAT)
    except RuntimeError as wrong:
        return str(wrong)
    return None


class Figures:
    """What a thing that was measured (a row) gave under each mechanism: a sample a round, and its ratio to native."""

    def __init__(self):
        self.values = collections.defaultdict(list)     # of (row, mechanism's name, measure)
        self.ratios = collections.defaultdict(list)
        self.left_out = {}                              # (program, mechanism's name): why

    def add(self, row, name, slices, native):
        """A round: slices of it, each a dictionary by measure, beside native ones; of ratios, too, the median."""
        for measure in slices[0]:
            taken, beside = ([each[measure] for each in them] for them in (slices, native))
            self.values[row, name, measure].append(statistics.median(taken))
            self.ratios[row, name, measure].append(statistics.median(harness.ratios(taken, beside)))

    def rows(self):
        return list(dict.fromkeys(row for row, _, _ in self.values))

    def measures(self, row, name):
        return [measure for measure in (RATE, TIME, CPU, P99) if (row, name, measure) in self.values]
