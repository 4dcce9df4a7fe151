#!/usr/bin/python3
"""A signal at every instruction of a system call: the program is shown its own state before or after it (row 13).

tests/hooked/injector steps tests/hooked/injected through a call, one step more in each round, and sends a signal there;
the program checks what its handler is shown and what becomes of the call (see both). Each path of a call once: plain,
answered and passed on by hooks of either register policy, by an owner, in the tactics zpoline, jump and trap; and
natively. A path also has to have been interrupted at the labels named here, in its hook, and, by a jump, at the number
before the site or at the site and in the padding, and at each instruction of the stub.

    tests/test_inject.py --build build [word ...]    words: only paths with one in their name
                                                     last line: N passed, N failed, N skipped
"""
import argparse
import bisect
import collections
import concurrent.futures
import os
import re
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
import common
import machine

# ALRM: with SA_RESTART. SEGV: blocked by the agent alone, not by the kernel.
USR1, ALRM, SEGV = signal.SIGUSR1, signal.SIGALRM, signal.SIGSEGV
SECONDS = 240
ASLEEP = "asleep"   # a call that sleeps in the kernel
ENTRY = ("zl_entry_call", "zl_call_r11", "zl_call_saved", "zl_call_moved", "zl_call_flags")
TRAP = ("zl_real_handler", "zl_jump_flags")
EXIT = ("zl_exit_begin",)
GATE = ("zl_gate_call", "zl_gate_call_window")
LOOK = ("zl_call_look", "zl_call_claimed", "zl_call_found")
STUB = ("zl_entry_stub", "zl_jump_saved", "zl_jump_moved", "zl_jump_flags")
HOOKED = (*ENTRY, "zl_hooked", *EXIT, "zl_exit_slot")
PASSED = (*ENTRY, "zl_hooked", *GATE)
OWNED = (*PASSED, "zl_own_sigprocmask")
TRAP_PASSED = (*TRAP, "zl_hooked", *GATE)
MADE = ("zl_gate_call_after", *EXIT)

# Of each form: the instructions that it has in the program's code and in its stub.
JUMPS = {"mov": (1, 4), "movq": (1, 4), "cave": (2, 3)}

# tactic (None: natively), hook, case and result for injected.c, signal, labels to be interrupted at, more settings, form
Path = collections.namedtuple("Path", "tactic hook case result signal labels settings form", defaults=("", "bare"))


def by_jump(hook, case, result, which, labels):
    """Each form."""
    return [Path("jump", hook, case, result, which, (*STUB, *labels), "", form) for form in JUMPS]


PATHS = (
    *(Path(None, None, case, 0, USR1, ()) for case in ("getpid", "backwards", "write", "block", "unblock")),
    *(Path(None, None, case, 0, which, (ASLEEP,)) for case in ("read", "suspend") for which in (USR1, ALRM)),
    Path("zpoline", None, "getpid", 0, USR1, (*ENTRY, "zl_plain_call_after", "zl_plain_call_slot"), "ZLAZY_RETURN=ret"),
    Path("zpoline", None, "getpid", 0, USR1, (*ENTRY, "zl_plain_call_after"), "ZLAZY_RETURN=jump"),
    Path("zpoline", None, "getpid", 0, USR1, (*ENTRY, "zl_plain_call_after"), "ZLAZY_SLED=short"),
    Path("zpoline", None, "backwards", 0, USR1, (*ENTRY, "zl_plain_call_after")),
    Path("zpoline", None, "write", 0, USR1, (*ENTRY, "zl_plain_call_after")),
    *(Path("zpoline", None, "read", 0, which, (*ENTRY, ASLEEP)) for which in (USR1, ALRM)),
    Path("zpoline", None, "suspend", 0, USR1, (*ENTRY, ASLEEP)),
    Path("zpoline", None, "block", 0, USR1, (*OWNED, "zl_dispatch", *MADE)),
    Path("zpoline", None, "unblock", 0, ALRM, (*OWNED, "zl_dispatch", *MADE)),
    Path("zpoline", None, "block", 0, SEGV, (*OWNED, "zl_dispatch", *MADE)),
    Path("zpoline", None, "unblock", 0, SEGV, (*OWNED, "zl_dispatch", *MADE)),
    Path("zpoline", "fake", "getpid", 4242, USR1, HOOKED),
    Path("zpoline", "fake", "backwards", 4242, ALRM, HOOKED),
    Path("zpoline", "deny:getpid=EPERM", "getpid", -1, USR1, (*HOOKED, "zl_preserved")),
    Path("zpoline", "count", "write", 0, USR1, (*PASSED, *MADE), "ZLAZY_RETURN=ret"),
    Path("zpoline", "count", "write", 0, SEGV, (*PASSED, *MADE), "ZLAZY_RETURN=jump"),
    *(Path("zpoline", "count", "read", 0, which, (*PASSED, ASLEEP)) for which in (USR1, ALRM)),
    Path("zpoline", "count", "suspend", 0, USR1, (*PASSED, ASLEEP)),
    Path("zpoline", "count", "read", 0, SEGV, (*PASSED, ASLEEP)),
    Path("zpoline", "count", "block", 0, USR1, (*OWNED, *MADE)),
    Path("zpoline", "pass:1", "write", 0, USR1, (*PASSED, "zl_preserved_returned", *MADE)),
    Path("zpoline", "pass:0", "read", 0, USR1, (*PASSED, ASLEEP)),
    Path("zpoline", "clobber:1", "write", 0, ALRM, (*PASSED, *MADE)),
    Path("zpoline", "clobber:1", "write", 0, USR1, (*PASSED, "zl_preserved", "zl_save_vectors", *MADE),
         "ZLAZY_VECTORS=xsavec"),
    Path("zpoline", "clobber:0", "read", 0, ALRM, (*PASSED, ASLEEP)),
    Path("zpoline", None, "getpid", 0, USR1, (*ENTRY, *LOOK, "zl_plain_call_after"), "", "shadowed"),
    Path("zpoline", "clobber:1", "write", 0, USR1, (*PASSED, *LOOK), "", "shadowed"),
    Path("zpoline", None, "getpid", 0, USR1, (*ENTRY, *LOOK, "zl_call_code", "zl_plain_call_after"), "ZLAZY_JIT=patch",
         "open"),
    Path("zpoline", None, "unknown", 0, USR1, (*ENTRY, "zl_plain_call_after")),
    Path("zpoline", "count", "unknown", 0, USR1, PASSED),
    Path("zpoline", None, "high", 0, USR1, ("zl_real_handler", "zl_entry_jump", "zl_plain_jump_after")),
    *(Path("jump", None, case, 0, USR1, (*STUB, "zl_plain_jump_after"), "", "cave") for case in ("unknown", "high")),
    Path("jump", "fake", "high", 4242, USR1, (*STUB, "zl_hooked", *EXIT), "", "cave"),
    *(Path("trap", None, case, 0, USR1, (*TRAP, "zl_plain_jump_after")) for case in ("unknown", "high")),
    *(Path(None, None, case, 0, USR1, (), "", form) for case in ("getpid", "write") for form in JUMPS),
    *by_jump(None, "getpid", 0, USR1, ("zl_plain_jump_after",)),
    *by_jump(None, "write", 0, SEGV, ("zl_plain_jump_after",)),
    *by_jump(None, "read", 0, ALRM, (ASLEEP,)),
    *by_jump(None, "suspend", 0, USR1, (ASLEEP,)),
    *by_jump(None, "block", 0, USR1, ("zl_dispatch", "zl_own_sigprocmask", *GATE, *MADE)),
    *by_jump(None, "unblock", 0, ALRM, ("zl_dispatch", "zl_own_sigprocmask", *GATE, *MADE)),
    *by_jump("fake", "getpid", 4242, USR1, ("zl_hooked", *EXIT)),
    *by_jump("deny:getpid=EPERM", "getpid", -1, ALRM, ("zl_hooked", "zl_preserved", *EXIT)),
    *by_jump("count", "write", 0, USR1, ("zl_hooked", *GATE, *MADE)),
    *by_jump("count", "read", 0, USR1, ("zl_hooked", *GATE, ASLEEP)),
    *by_jump("pass:1", "write", 0, USR1, ("zl_hooked", *GATE, *MADE)),
    *by_jump("clobber:1", "write", 0, ALRM, ("zl_hooked", *GATE, *MADE)),
    *(Path("trap", None, "getpid", 0, USR1, (*TRAP, "zl_plain_jump_after"), "", form) for form in JUMPS),
    *(Path("zpoline", "count", "write", 0, USR1, (*PASSED, *MADE), "", form) for form in JUMPS),
    Path("trap", None, "write", 0, USR1, (*TRAP, "zl_plain_jump_after")),
    Path("trap", None, "backwards", 0, USR1, ("zl_real_handler", "zl_entry_jump", "zl_plain_jump_after")),
    *(Path("trap", None, "read", 0, which, (*TRAP, ASLEEP)) for which in (USR1, ALRM)),
    Path("trap", None, "unblock", 0, USR1, (*TRAP, "zl_dispatch", *GATE, *MADE)),
    Path("trap", None, "write", 0, SEGV, (*TRAP, "zl_plain_jump_after")),
    Path("trap", "fake", "getpid", 4242, USR1, (*TRAP, "zl_hooked", *EXIT)),
    Path("trap", "count", "write", 0, USR1, (*TRAP_PASSED, *MADE)),
    Path("trap", "count", "read", 0, ALRM, (*TRAP_PASSED, ASLEEP)),
    Path("trap", "clobber:1", "write", 0, USR1, (*TRAP_PASSED, *MADE)),
    Path("trap", "pass:0", "read", 0, USR1, (*TRAP_PASSED, ASLEEP)),
)


def name_of(path):
    words = (path.tactic or "natively", path.hook and f"hook {path.hook}", path.settings, path.case,
             path.form != "bare" and path.form, path.signal.name)
    return ", ".join(word for word in words if word)


class Symbols:
    """Of libzlazy.so, those that match the pattern: what test programs were interrupted in."""

    def __init__(self, library, pattern="zl_"):
        lines = subprocess.run(["nm", library], capture_output=True, text=True, check=True).stdout.splitlines()
        found = [line.split() for line in lines if re.match(r"[0-9a-f]+ [tTrR] " + pattern, line)]
        self.offset = {name: int(address, 16) for address, _, name in found}
        self.sorted = sorted((offset, name) for name, offset in self.offset.items())

    def place(self, offset):
        start, name = self.sorted[max(0, bisect.bisect(self.sorted, (offset, "~")) - 1)]
        return f"{name}+{offset - start:#x}"


class Output:
    """What injector.c printed."""

    def __init__(self, text):
        self.text = text
        self.maps = []
        for start, end, offset, file in re.findall(r"^map (\w+)-(\w+) \S+ (\w+) \S+ \S+ *(.*)$", text, re.M):
            self.maps.append((int(start, 16), int(end, 16), int(offset, 16), os.path.basename(file)))
        self.places = [self.object_of(int(pc, 16)) for pc in re.findall(r"^at (\w+)$", text, re.M)]
        steps = re.search(r"^steps (\d+)$", text, re.M)
        self.steps = int(steps[1]) if steps else None

    def object_of(self, pc):
        for start, end, offset, file in self.maps:
            if start <= pc < end:
                return file or ("page zero" if start == 0 else "sled or stub"), pc - start + offset
        return "nowhere", pc


def run(build, path):
    words = [os.path.join(build, "tests/hooked/injector"), str(int(path.signal)),
             os.path.join(build, "tests/hooked/injected"), path.case, str(path.result), path.form]
    if path.tactic:
        words += [f"LD_PRELOAD={os.path.join(build, 'libzlazy.so')}", f"ZLAZY_TACTIC={path.tactic}", "ZLAZY_QUIET=1"]
        words += path.settings.split()
        if path.hook:
            words.append(f"ZLAZY_HOOK={common.hook_setting(build, path.hook)}")
    return subprocess.run(words, env=common.clean_environment(), stdin=subprocess.DEVNULL, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS).stdout


def code_address(library):
    """Of an offset in the file: what is to be added to get a symbol's value."""
    lines = subprocess.run(["readelf", "-lW", library], capture_output=True, text=True, check=True).stdout
    offset, address = re.search(r"LOAD +(\w+) +(\w+) .* R E ", lines).groups()
    return int(address, 16) - int(offset, 16)


def why_wrong(path, output, symbols, added):
    """None if the path is as it has to be."""
    if output.steps is None:
        lines = [line for line in output.text.splitlines() if not re.match(r"map |at |asleep", line)]
        file, offset = output.places[-1] if output.places else ("nowhere", 0)
        where = symbols.place(offset + added) if file == "libzlazy.so" else f"{file}+{offset:#x}"
        return f"after a signal at {where}: " + "; ".join(lines)
    met = {offset + added for file, offset in output.places if file == "libzlazy.so"}
    lost = [label for label in path.labels if label != ASLEEP and symbols.offset.get(label) not in met]
    if (ASLEEP in path.labels) != (ASLEEP in output.text.splitlines()):
        lost.append(ASLEEP)
    if path.hook and path.hook.split(":")[0] + ".so" not in {file for file, _ in output.places}:
        lost.append("its hook")
    if path.tactic == "zpoline" and path.case != "high" and ("page zero", path_number(path)) not in output.places:
        lost.append("page zero")
    if path.tactic == "jump":
        lost += missed_of_jump(path, output)
    return f"no signal came at {', '.join(lost)}" if lost else None


def missed_of_jump(path, output):
    """What a path by way of a stub has to have been interrupted at, but was not."""
    met = collections.Counter(file for file, _ in set(output.places))
    after = 1   # the instruction behind the site, at the end
    expected = {"injected": JUMPS[path.form][0] + (0 if ASLEEP in path.labels else after), "sled or stub": JUMPS[path.form][1]}
    return [f"each instruction in {file} ({met[file]} of {count})" for file, count in expected.items()
            if met[file] != count]


def path_number(path):
    return {"getpid": 39, "backwards": 39, "write": 1, "read": 0, "unknown": 600, "suspend": 130}.get(path.case, 14)


def try_path(build, path, symbols, added):
    """True if it went well."""
    output = Output(run(build, path))
    why = why_wrong(path, output, symbols, added)
    if why:
        print(f"FAIL {name_of(path)}: {why}", flush=True)
        return False
    places = collections.Counter(file for file, _ in output.places)
    print(f"ok {name_of(path)}: {output.steps} instructions: " +
          ", ".join(f"{count} in {file}" for file, count in places.items()), flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=os.path.abspath)
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    chosen = [path for path in PATHS if not options.words or any(word in name_of(path) for word in options.words)]
    missing = {"trap": machine.why_no_dispatch(), None: None}
    missing["jump"] = missing["trap"]
    missing["zpoline"] = missing["trap"] or machine.why_no_zpoline()
    possible = [path for path in chosen if not missing[path.tactic]]
    for tactic in sorted({path.tactic for path in chosen if missing[path.tactic]}):
        print(f"SKIP signals at every instruction in {tactic}: {missing[tactic]}")
    library = os.path.join(options.build, "libzlazy.so")
    symbols, added = Symbols(library), code_address(library)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        good = sum(pool.map(lambda path: try_path(options.build, path, symbols, added), possible))
    print(f"{good} passed, {len(possible) - good} failed, {len(chosen) - len(possible)} skipped")
    return 0 if good == len(possible) else 1


if __name__ == "__main__":
    sys.exit(main())
