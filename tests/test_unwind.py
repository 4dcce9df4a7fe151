#!/usr/bin/python3
"""From every instruction of a hooked call a debugger finds the program's functions and registers (design row 31).

Gdb steps tests/guests/unwind from its rewritten site to the instruction behind it, and unwinds from each one on the
way: sled, entry, hook, gate, exit (tests/unwind_steps.py). Each path once: no hook, a hook for general registers that
answers, one that preserves everything and passes the call on, one that answers. By `call *%rax`, and by jumps from the
mov before the site and from the site; nothing is promised in a stub, nor where such a call's return address is in no
register, at a few instructions of the entry and around the gate's `syscall`. The path of a trap only in the agent's
handler, whose frame is a signal's.

    tests/test_unwind.py --build build       last line: N passed, N failed, N skipped
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import common
import machine

TESTS = os.path.dirname(os.path.abspath(__file__))
TRAP = "the handler of a trap"
# Of a call by a stub: until the frame has its return address, and around the `syscall` of a gate.
MOST_GAPS = 16
GETPID, NO_SUCH_CALL = "39", "500"
# name, number of the call, hook, instructions that the way has at least
WAYS = (("plain", NO_SUCH_CALL, None, 30), ("answered, general registers", GETPID, "fake.so", 90),
        ("passed on, everything preserved", NO_SUCH_CALL, "count.so", 150),
        ("answered, everything preserved", GETPID, "deny.so:getpid=EPERM", 150))
# tactic, form of the call in the guest
KINDS = (("zpoline", "site"), ("jump", "mov"), ("jump", "cave"))
PATHS = (*((*way, *kind) for kind in KINDS for way in WAYS), (TRAP, GETPID, None, 10, "trap", "site"))


def gdb_command(build, tactic, hook):
    settings = {"LD_PRELOAD": os.path.join(build, "libzlazy.so"), "ZLAZY_TACTIC": tactic, "ZLAZY_QUIET": "1"}
    if hook:
        settings["ZLAZY_HOOK"] = os.path.join(build, "examples", hook)
    words = ["gdb", "-q", "-nx", "-batch", "-ex", "set confirm off", "-ex", "handle SIGSYS nostop noprint pass"]
    for name, value in settings.items():
        words += ["-ex", f"set environment {name} {value}"]
    return [*words, "-ex", "break main", "-ex", "run", "-ex", "delete",
            "-ex", f"source {os.path.join(TESTS, 'unwind_steps.py')}", os.path.join(build, "tests", "guests", "unwind")]


def name_of(path):
    return f"{path[4]}, {path[5]}, {path[0]}"


def try_path(build, path):
    """None if it went well, else why not."""
    _, number, hook, least, tactic, form = path
    environment = common.clean_environment(UNWIND_NUMBER=number, UNWIND_TACTIC=tactic,
                                           UNWIND_FORM=f"mov_{number}" if form == "mov" else form)
    output = subprocess.run(gdb_command(build, tactic, hook), env=environment, stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False).stdout
    lines = output.splitlines()
    lost, gaps, stub = ([line for line in lines if line.startswith(word)] for word in
                        ("LOST", "gap:", "stub:"))
    steps = re.search(r"^steps (\d+)$", output, re.M)
    if lost:
        return f"{len(lost)} instructions can't be unwound from, the first: {lost[0]}"
    if not steps or int(steps[1]) < least:
        return "the call was not stepped through:\n" + output[-2000:]
    if tactic == "jump" and "by zl_entry_stub" not in output.splitlines():
        return "the call did not come by a stub"
    if len(gaps) > MOST_GAPS:
        return f"no return address at {len(gaps)} instructions, the last: {gaps[-1]}"
    print(f"ok {name_of(path)}: {steps[1]} instructions")
    if gaps or stub:
        print(f"    no return address at {len(gaps)} instructions; in the stub main was reached, but not every name "
              f"known, at {sum('main' in line for line in stub)} of {len(stub)}")
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=os.path.abspath)
    build = parser.parse_args().build
    reason = machine.why_no_dispatch() if shutil.which("gdb") else "no gdb here"
    if reason:
        print(f"SKIP unwinding: {reason}\n0 passed, 0 failed, {len(PATHS)} skipped")
        return 0
    possible = [path for path in PATHS if path[4] != "zpoline" or not machine.why_no_zpoline()]
    if len(possible) < len(PATHS):
        print(f"SKIP unwinding from the sled: {machine.why_no_zpoline()}")
    failed = 0
    for path in possible:
        why = try_path(build, path)
        if why:
            failed += 1
            print(f"FAIL {name_of(path)}: {why}", flush=True)
    print(f"{len(possible) - failed} passed, {failed} failed, {len(PATHS) - len(possible)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
