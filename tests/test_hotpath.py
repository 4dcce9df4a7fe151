#!/usr/bin/python3
"""docs/hotpath.md: how many instructions, and how many taken branches among them, each path of a call has.

tests/hooked/injector steps tests/hooked/injected through one call on each path. The instructions of ours (all but those
of the hook's library) have to be as many as the document's tables say: exactly where they are assembly, within a
quarter where they are compiled. And on each path there is no locked instruction and nothing is read through fs, the
kernel is entered once by a call that has to get there, else not at all, and what comes back by ret has as many returns
as calls.

    tests/test_hotpath.py --build build    also prints what it counts, in the form of the document's tables
                                           last line: N passed, N failed, N skipped
"""
import argparse
import collections
import itertools
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import common
import machine
from test_inject import Output, Path, Symbols, code_address, run

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = os.path.join(ROOT, "docs", "hotpath.md")
# The columns of the document's first table: tactic, form of the call (injected.c).
WAYS = {"call": ("zpoline", "bare"), "mov": ("jump", "mov"), "cave": ("jump", "cave")}
RET, JUMP = "ZLAZY_RETURN=ret", "ZLAZY_RETURN=jump"
# name: hook, what getpid gives (0: the process id), settings, how often the kernel is entered
PATHS = {
    "unwanted, back by ret": (None, 0, RET, 1),
    "unwanted, back by jmp": (None, 0, JUMP, 1),
    "answered, general": ("fake", 4242, RET, 0),
    "passed on, general, back by ret": ("pass_general", 0, RET, 1),
    "passed on, general, back by jmp": ("pass_general", 0, JUMP, 1),
    "answered, preserving": ("deny:getpid=EPERM", -1, RET, 0),
    "passed on, preserving, back by ret": ("pass", 0, RET, 1),
    "passed on, preserving, back by jmp": ("pass", 0, JUMP, 1),
}
# Extended state: settings by which glibc uses few components; and what the CPU has for glibc.
STATES = ("", "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX")
AVX, HIGH, MORE, MASKS = "AVX", "upper halves of ZMM0-15; AVX is in these", "ZMM16-31", "masks"
STATE_SETS = [("SSE", *width, *more, *masks) for width in ((), (AVX,), (HIGH,)) for more in ((), (MORE,))
              for masks in ((), (MASKS,))]
# Functions of trampoline/parts.S.
SAVE, RESTORE = ("zl_save_parts", "zl_store_parts"), ("zl_restore_parts", "zl_load_parts", "zl_settle_parts")
ASSEMBLY = ("zl_preserved", "zl_preserved_returned", "zl_save_vectors", "zl_restore_vectors")    # outside of zl_gate
KINDS = ((SAVE, "save"), (RESTORE, "restore"), (ASSEMBLY, "assembly"))
OURS = ("page zero", "sled or stub", "injected", "libzlazy.so")
COMPILED_MAY_DIFFER, LEAST_DIFFERENCE = 0.25, 3
PREFIXES = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3}
LOCK, FS, SLED_JUMP = 0xf0, 0x64, 0xe9

Count = collections.namedtuple("Count", "instructions branches", defaults=(0, 0))
Measured = collections.namedtuple("Measured", "assembly compiled save restore calls wrong")


class Instruction:
    """pc, and the code there up to its opcode."""

    def __init__(self, pc, code):
        self.pc = pc
        at = 0
        while code[at] in PREFIXES:
            at += 1
        self.prefixes = set(code[:at])
        at += 0x40 <= code[at] <= 0x4f
        self.opcode, self.code, self.size = code[at], code[at:], at

    def is_branch_taken(self, following):
        """following: the pc after it. A conditional branch that is not taken goes on behind itself."""
        if self.opcode == 0xff:
            return self.code[1] >> 3 & 7 in (2, 4)
        if self.opcode in (0xe8, 0xe9, 0xeb, 0xc2, 0xc3):
            return True
        if 0x70 <= self.opcode <= 0x7f or 0xe0 <= self.opcode <= 0xe3:
            return following != self.pc + self.size + 2
        if self.opcode == 0x0f and 0x80 <= self.code[1] <= 0x8f:
            return following != self.pc + self.size + 6
        return False

    def is_call(self):
        return self.opcode == 0xe8 or self.opcode == 0xff and self.code[1] >> 3 & 7 == 2

    def is_return(self):
        return self.opcode in (0xc2, 0xc3)

    def is_syscall(self):
        return self.opcode == 0x0f and self.code[1] == 0x05

    def is_locked(self):
        """xchg with memory is, without a prefix."""
        return LOCK in self.prefixes or self.opcode in (0x86, 0x87) and self.code[1] < 0xc0

    def uses_fs(self):
        return FS in self.prefixes and self.opcode != SLED_JUMP


def instructions(text):
    return [Instruction(int(pc, 16), int(code, 16).to_bytes(8, "little"))
            for pc, code in re.findall(r"^at (\w+) (\w+)$", text, re.M)]


class Tracer:
    """Of a build."""

    def __init__(self, build):
        self.build = build
        library = os.path.join(build, "libzlazy.so")
        self.symbols, self.added = Symbols(library, r"\w+"), code_address(library)
        words = subprocess.run(["readelf", "-SW", library], capture_output=True, text=True, check=True).stdout
        start, size = (int(word, 16) for word in re.search(r" zl_gate +PROGBITS +(\w+) \w+ (\w+)", words).groups())
        self.gate = range(start, start + size)

    def kind(self, file, offset):
        """One of Measured's, or None in a hook."""
        if file not in OURS:
            return None
        if file != "libzlazy.so" or offset + self.added in self.gate:
            return "assembly"
        name = self.symbols.place(offset + self.added).partition("+")[0]
        return next((kind for functions, kind in KINDS if name in functions), "compiled")

    def measure(self, way, hook, result, settings):
        """Raises RuntimeError if the call went wrong."""
        tactic, form = WAYS[way]
        text = run(self.build, Path(tactic, hook, "getpid", result, 0, (), settings, form))
        output = Output(re.sub(r"^(at \w+) \w+$", r"\1", text, flags=re.M))
        done = instructions(text)
        if output.steps is None or not done:
            raise RuntimeError(text.strip().splitlines()[-1] if text.strip() else "nothing said")
        counts, wrong, calls, hooked = collections.defaultdict(Count), [], 0, 0
        for (file, offset), each, following in itertools.zip_longest(output.places, done, done[1:]):
            kind = self.kind(file, offset)
            if not kind:
                hooked += 1
                continue
            # behind the last one is the program, which it returns to
            taken = following is None or each.is_branch_taken(following.pc)
            counts[kind] = Count(counts[kind].instructions + 1, counts[kind].branches + taken)
            calls += each.is_syscall()
            if each.is_locked() or each.uses_fs():
                wrong.append(f"a locked instruction, or one through fs, at {file}+{offset:#x}")
        unbalanced = sum(each.is_call() - each.is_return() for each in done)
        if unbalanced and settings == RET:
            wrong.append(f"{unbalanced} calls more than returns")
        if bool(hook) != bool(hooked):
            wrong.append(f"{hooked} instructions in the hook")
        return Measured(counts["assembly"], counts["compiled"], counts["save"], counts["restore"], calls, wrong)


def text_of(count):
    return f"{count.instructions} / {count.branches}"


def cell_of(measured):
    return " + ".join(map(text_of, (measured.assembly, measured.compiled)[:1 + (measured.compiled.instructions > 0)]))


def is_near(measured, said):
    return all(abs(a - b) <= max(LEAST_DIFFERENCE, COMPILED_MAY_DIFFER * b) for a, b in zip(measured, said))


def is_as_said(measured, cell):
    """Of a cell `instructions / taken branches`, and `+ the same of what is compiled`."""
    counts = [Count(*map(int, pair)) for pair in re.findall(r"(\d+) / (\d+)", cell)]
    return counts[:1] == [measured.assembly] and len(counts) == 1 + (measured.compiled.instructions > 0) and \
        is_near(measured.compiled, counts[1] if len(counts) > 1 else Count())


def rows_of(document):
    """The cells of every table's row, by its first cell."""
    rows = {}
    for line in document.splitlines():
        if line.startswith("|"):
            first, *others = (cell.strip() for cell in line.strip("|").split("|"))
            rows[first] = others
    return rows


class Test:
    """Prints what it finds."""

    def __init__(self, build, ways):
        with open(DOCUMENT, encoding="utf-8") as file:
            self.rows = rows_of(file.read())
        self.tracer, self.ways = Tracer(build), ways
        self.passed = self.failed = 0

    def judge(self, name, wrong):
        self.passed += not wrong
        self.failed += bool(wrong)
        if wrong:
            print(f"FAIL {name}: {'; '.join(wrong)}")

    def try_path(self, name, way):
        """What it counts, as the document has it."""
        hook, result, settings, calls = PATHS[name]
        try:
            measured = self.tracer.measure(way, hook, result, settings)
        except RuntimeError as wrong:
            self.judge(f"{name}, {way}", [str(wrong)])
            return "-"
        wrong = list(measured.wrong)
        said = dict(zip(WAYS, self.rows.get(name, ()))).get(way, "nothing")
        if measured.calls != calls:
            wrong.append(f"the kernel was entered {measured.calls} times, not {calls}")
        if not is_as_said(measured, said):
            wrong.append(f"{cell_of(measured)}, and {DOCUMENT} says {said}")
        self.judge(f"{name}, {way}", wrong)
        return cell_of(measured)

    def try_state(self, settings):
        """One of the sums that the document's rows have; which one depends on CPU and libc."""
        hook, result, _, _ = PATHS["answered, preserving"]
        try:
            measured = self.tracer.measure(next(iter(self.ways)), hook, result, settings)
        except RuntimeError as wrong:
            self.judge("state", [str(wrong)])
            return
        found = (*measured.save, *measured.restore)
        names = [names for names in STATE_SETS if self.sum_of(names) == found]
        print(f"{text_of(measured.save)} and {text_of(measured.restore)}: {'; or '.join(map(', '.join, names))}")
        self.judge("state", [] if names else [f"{found} is no sum of rows in {DOCUMENT}"])

    def sum_of(self, names):
        pairs = (re.findall(r"-?\d+", " ".join(self.rows.get(name, ()))) for name in names)
        return tuple(sum(map(int, numbers)) for numbers in zip(*pairs))


def by_parts():
    """Can the agent save by component? (trampoline/vector.c)"""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        return " xgetbv1" in file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=os.path.abspath)
    options = parser.parse_args()
    missing = {"jump": machine.why_no_dispatch()}
    missing["zpoline"] = missing["jump"] or machine.why_no_zpoline()
    ways = [way for way, (tactic, _) in WAYS.items() if not missing[tactic]]
    for way in WAYS:
        if way not in ways:
            print(f"SKIP {way}: {missing[WAYS[way][0]]}")
    test = Test(options.build, ways)
    for name in PATHS:
        print(f"| {name} | {' | '.join(test.try_path(name, way) for way in ways)} |")
    skipped = (len(WAYS) - len(ways)) * len(PATHS)
    if ways and by_parts():
        for settings in STATES:
            test.try_state(settings)
    else:
        print("SKIP state: it can't be saved by component")
        skipped += len(STATES)
    print(f"{test.passed} passed, {test.failed} failed, {skipped} skipped")
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
