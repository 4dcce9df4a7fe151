#!/usr/bin/python3
"""From every instruction of a hooked call a debugger finds the program's functions and registers (design row 31).

Gdb steps tests/guests/unwind from its site to the instruction behind it, and unwinds from each one on the way: sled or
stub, the handler of a trap, entry, hook, gate, exit (tests/unwind_steps.py). Each path once: no hook, a hook for
general registers that answers, one that preserves everything and passes the call on, one that answers; by `call *%rax`,
by jumps from the mov before the site and from the site, by a trap, and by a trap of `int $0x80`. The library's script
for gdb (tools/gdb) helps, which gdb finds beside the library.

Then gdb attaches to the guest where it is blocked in read(), in a plain call and behind a hook, and without the script,
which has to be missed: who blocks after a jump or a trap is not found by tables.

    tests/test_unwind.py --build build       last line: N passed, N failed, N skipped
"""
import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
import termios
import time

sys.dont_write_bytecode = True
import common
import machine

TESTS = os.path.dirname(os.path.abspath(__file__))
GETPID, NO_SUCH_CALL, GETPID_I386 = "39", "500", "20"
# name, number of the call, hook, instructions that the way has at least
WAYS = (("plain", NO_SUCH_CALL, None, 30), ("answered, general registers", GETPID, "fake.so", 90),
        ("passed on, everything preserved", NO_SUCH_CALL, "count.so", 150),
        ("answered, everything preserved", GETPID, "deny.so:getpid=EPERM", 150))
WAYS_I386 = (("plain", GETPID_I386, None, 300), ("passed on, everything preserved", GETPID_I386, "count.so", 400))
# tactic, form of the call in the guest
KINDS = (("zpoline", "site"), ("jump", "mov"), ("jump", "cave"), ("trap", "site"))
STEPPED = (*((*way, *kind) for kind in KINDS for way in WAYS), *((*way, "trap", "i386") for way in WAYS_I386))
# tactic, hook, whether with the script
ATTACHED = (*((tactic, hook, True) for tactic in ("zpoline", "jump", "trap") for hook in (None, "count.so")),
            ("jump", None, False), ("trap", None, False))
SECONDS = 60


def guest(build, name="unwind"):
    return os.path.join(build, "tests", "guests", name)


def why_no_attach():
    """Gdb is no ancestor of the guest."""
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as file:
            forbids = file.read().strip() != "0" and os.geteuid() != 0
    except FileNotFoundError:
        forbids = False
    return "kernel.yama.ptrace_scope forbids to attach" if forbids else None


def why_not(build, function, tactic, form):
    if function is attach and why_no_attach():
        return why_no_attach()
    if form == "i386" and subprocess.run([guest(build, "int80")], stdout=subprocess.DEVNULL).returncode != 0:
        return "no 32-bit calls in this kernel"
    return machine.why_not(tactic)


def settings(build, tactic, hook):
    hooks = {"ZLAZY_HOOK": os.path.join(build, "examples", hook)} if hook else {}
    return {"LD_PRELOAD": os.path.join(build, "libzlazy.so"), "ZLAZY_TACTIC": tactic, "ZLAZY_QUIET": "1", **hooks}


def gdb(build, commands, *words, with_script=True, **environment):
    """What gdb says."""
    trusted = ["-iex", f"add-auto-load-safe-path {build}"] if with_script else ["-iex", "set auto-load no"]
    listed = [word for command in ("set confirm off", *commands) for word in ("-ex", command)]
    return subprocess.run(["gdb", "-q", "-nx", "-batch", *trusted, *listed, *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
                          env=common.clean_environment(**environment)).stdout


def step(build, path):
    """What is wrong with unwinding on this way, or None."""
    name, number, hook, least, tactic, form = path
    commands = [f"set environment {key} {value}" for key, value in settings(build, tactic, hook).items()]
    commands += ["break main", "run", "delete", f"source {os.path.join(TESTS, 'unwind_steps.py')}"]
    output = gdb(build, commands, guest(build), UNWIND_NUMBER=number, UNWIND_TACTIC=tactic,
                 UNWIND_FORM=f"mov_{number}" if form == "mov" else form)
    lost = [line for line in output.splitlines() if line.startswith("LOST")]
    steps = re.search(r"^steps (\d+)$", output, re.M)
    if lost:
        return f"{len(lost)} instructions can't be unwound from, the first: {lost[0]}"
    if not steps or int(steps[1]) < least:
        return "the call was not stepped through:\n" + output[-2000:]
    if tactic == "jump" and "by zl_entry_stub" not in output.splitlines():
        return "the call did not come by a stub"
    print(f"ok {tactic}, {form}, {name}: {steps[1]} instructions")
    return None


def is_in_read(process):
    with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
        return file.read().split()[0] == "0"


def wait_for_read(process):
    end = time.monotonic() + SECONDS
    while not is_in_read(process):
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"the guest is not in read(), status {process.poll()}")
        time.sleep(0.01)


def functions_of_blocked(build, tactic, hook, with_script):
    """The functions that gdb finds in the guest, which waits in read(), by a site that has been seen once."""
    environment = common.clean_environment(**settings(build, tactic, hook))
    with subprocess.Popen([guest(build), "wait"], env=environment, stdin=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        try:
            wait_for_read(process)
            process.stdin.write(b"\n")
            process.stdin.flush()
            while not is_drained(process):
                time.sleep(0.01)
            wait_for_read(process)
            output = gdb(build, ["backtrace"], "-p", str(process.pid), with_script=with_script)
            process.communicate(b"\n", timeout=SECONDS)
        finally:
            process.kill()
    if process.returncode != 0:
        raise AssertionError(f"after gdb the guest ended with {process.returncode}")
    return re.findall(r"^#\d+ .*?([\w?]+) \(", output, re.M), output


def is_drained(process):
    """Has the guest read its first line?"""
    waiting = bytearray(4)
    fcntl.ioctl(process.stdin, termios.FIONREAD, waiting)
    return not any(waiting)


def attach(build, path):
    tactic, hook, with_script = path
    try:
        functions, output = functions_of_blocked(build, tactic, hook, with_script)
    except (AssertionError, subprocess.TimeoutExpired) as wrong:
        return str(wrong)
    is_found = functions[-2:] == ["wait_for_input", "main"] and re.search("read", functions[-3])
    if bool(is_found) != with_script:
        return f"gdb finds {functions}: {output[-1000:]}"
    print(f"ok attached, {tactic}, {hook or 'no hook'}{'' if with_script else ', without the script'}: {functions}")
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=os.path.abspath)
    build = parser.parse_args().build
    tests = [*((step, path, *path[4:]) for path in STEPPED), *((attach, path, path[0], None) for path in ATTACHED)]
    reason = machine.why_no_dispatch() if shutil.which("gdb") else "no gdb here"
    if reason:
        print(f"SKIP unwinding: {reason}\n0 passed, 0 failed, {len(tests)} skipped")
        return 0
    failed, skipped = 0, 0
    for function, path, tactic, form in tests:
        reason = why_not(build, function, tactic, form)
        why = None if reason else function(build, path)
        if reason:
            skipped += 1
            print(f"SKIP {path}: {reason}")
        elif why:
            failed += 1
            print(f"FAIL {function.__name__} {path}: {why}", flush=True)
    print(f"{len(tests) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
