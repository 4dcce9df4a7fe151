#!/usr/bin/python3
"""Run real programs natively and under the agent, and compare what they show.

    tests/programs.py --build build                             every program, count hook, every tactic but auto
    tests/programs.py --build build --tactic trap --hook none git redis
    tests/programs.py --build build --oracle python             and no call may enter the kernel from outside the gate
    tests/programs.py --build build --native --repeat 5         natively twice: are they deterministic?
    tests/programs.py --build build --long                      the long ones, which are else left out
    tests/programs.py --list

The programs are in tests/program_list.py, long ones (and a few others) in the modules LONG. A program runs natively once, and then in each
tactic with each hook. It passes when its transcript (output, standard error, status; for a server the replies and its
status) is the same as natively; under the count hook, also only if calls were counted. It is skipped when it is not
installed, or when the machine can't have the tactic.
--hook as in tests/guests.py. Last line: `N passed, N failed, N skipped`. Exit status 1 if one failed.
"""
import argparse
import concurrent.futures
import difflib
import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
import machine
import program_list
import sessions
from ordinary import ordinary_signals

LONG = ("runtimes_list", "services_list", "jit_list")  # modules; each registers its programs when it is imported
for module in LONG:
    importlib.import_module(module)


def missing(program):
    absent = [word for word in program.needs
              if not shutil.which(word, path=sessions.PATH) and not (word[0] == "/" and os.path.exists(word))]
    return f"not installed: {', '.join(absent)}" if absent else None


def why_not(program, tactic, oracle):
    if tactic != "native" and machine.why_not(tactic):
        return machine.why_not(tactic)
    if tactic == "zpoline" and program.faults_at_null and not machine.has_pku():
        return "no protection keys: page zero is readable under zpoline here"
    if oracle and program.no_oracle:
        return f"not under the oracle: {program.no_oracle}"
    return missing(program)


def play(program, plan, folder):
    """One session. Returns it; its problems say what went wrong apart from the transcript."""
    session = sessions.Session(plan, folder, program.environment)
    try:
        program.function(session)
        session.check_hooked()
    except (sessions.Trouble, subprocess.TimeoutExpired, OSError) as wrong:
        session.problems.append(str(wrong))
    finally:
        session.close()
    return session


def difference(native, hooked):
    diff = difflib.unified_diff(native.transcript, hooked.transcript, "native", "hooked", "", n=1)
    return [line[:300] for line in list(diff)[2:40]]


def compare(options, program, plan, folder, native):
    """A run under the agent, against the native one. Returns the lines that say what is wrong."""
    hooked = play(program, plan, folder)
    lines = hooked.problems + difference(native, hooked)
    if lines:
        lines += hooked.log_lines()
        lines.append(f"run: tests/programs.py --build {options.build} --tactic {plan.tactic} --hook {plan.hook}"
                     f"{' --oracle' if options.oracle else ''} {program.name}")
    return lines


def run_one(options, name, ways):
    """Run a program natively, and in each of the ways (tactic, hook). Yields (label, verdict, lines)."""
    program, native = program_list.PROGRAMS[name], None
    seconds = options.timeout or program.seconds
    with tempfile.TemporaryDirectory(prefix="zlazy-program-", ignore_cleanup_errors=True) as folder:
        for tactic, hook in ways:
            label = f"{name} [{tactic}, {hook}]"
            reason = why_not(program, tactic, options.oracle)
            if not reason and not native:
                native = play(program, sessions.Plan(options.build, timeout=seconds), folder)
            if not reason and not native.problems:
                reason = program.skip_line(native)
            if reason:
                yield label, "skipped", [reason]
            elif native.problems:
                yield label, "failed", ["natively:", *native.problems, *native.transcript[-10:]]
            else:
                plan = sessions.Plan(options.build, None if tactic == "native" else tactic, hook, options.oracle,
                                     seconds)
                lines = compare(options, program, plan, folder, native)
                yield label, "failed" if lines else "passed", lines


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--tactic", action="append", choices=machine.TACTICS,
                        help="default: all but auto; may repeat")
    parser.add_argument("--hook", action="append", help="none, count (default), a test hook or a path; may repeat")
    parser.add_argument("--oracle", action="store_true", help="under tests/oracle.py: no stray call")
    parser.add_argument("--native", action="store_true", help="no agent: native against native")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--timeout", type=float, help="of one program; 4 times that under the oracle")
    parser.add_argument("--long", action="store_true", help="the long programs, not the others")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    program_list.BUILD = options.build
    unknown = [name for name in options.names if name not in program_list.PROGRAMS]
    if unknown:
        parser.error(f"no program {', '.join(unknown)}; --list shows them")
    return options


def names_of(long):
    return [program.name for program in program_list.PROGRAMS.values() if program.long == long]


def combinations(options):
    """(name, ways) for each run."""
    names = options.names or names_of(options.long)
    tactics = ["native"] if options.native else options.tactic or ["trap", "jump", "zpoline"]
    hooks = ["none"] if options.native else options.hook or ["count"]
    return [(name, [(t, h) for t in tactics for h in hooks]) for _ in range(options.repeat) for name in names]


def stop(*_):
    """Told to end: nothing that was started stays."""
    sessions.stop_all()
    sys.exit(1)


def show(label, verdict, lines):
    if verdict == "skipped":
        print(f"SKIP {label}: {'; '.join(lines)}", flush=True)
    elif verdict == "failed":
        print(f"FAIL {label}:", *lines, sep="\n    ", flush=True)


def main():
    options = parse_arguments()
    if options.list:
        for program in program_list.PROGRAMS.values():
            print(f"{program.name:<20} {'(long) ' if program.long else ''}{program.function.__doc__}")
        return 0
    if not options.native and not os.path.exists(os.path.join(options.build, "libzlazy.so")):
        print(f"programs.py: no {options.build}/libzlazy.so: build first, or --native")
        return 2
    ordinary_signals()   # nohup, and a shell's &, have some ignored
    signal.signal(signal.SIGTERM, stop)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    count = {"passed": 0, "failed": 0, "skipped": 0}
    shown = threading.Lock()

    def run(combination):
        for label, verdict, lines in run_one(options, *combination):
            with shown:
                count[verdict] += 1
                show(label, verdict, lines)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(run, combinations(options)))
    print(", ".join(f"{n} {verdict}" for verdict, n in count.items()))
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
