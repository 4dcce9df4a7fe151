#!/usr/bin/python3
"""Repetitions, in pieces: what scripts/soak runs.

    scripts/soak                 60 minutes
    scripts/soak --minutes 10    a piece of it; the next goes on from there
    scripts/soak --reset         forget what was added up

A cycle is a list of pieces of a minute or two: the racy guests 10 times, every guest once, every program once, in each
tactic that the machine can and with each kind of hook, and every guest once as nobody, by jump; some of the long
programs in each tactic, and most in one of them under the oracle (tests/oracle.py), each of which has its turn every
LONG_TURNS cycles and takes some minutes; the stress programs, with fresh seeds and with totals to reach, and one of
them in turn for longer. CYCLES cycles make LOOPS runs of every racy guest; it then goes on with more. A piece counts
when it has ended; the figures are in build/soak/state.json, and begin anew with another libzlazy.so. The last line is
the total of all pieces so far, `N passed, N failed, N skipped`.
"""
import argparse
import hashlib
import json
import os
import sys
import time

sys.dont_write_bytecode = True
from steps import ROOT, Step, VERDICTS, run_step
sys.path.insert(0, os.path.join(ROOT, "tests"))
import machine
import program_list
import programs
import runtimes_list
import sessions
import tiers
from ordinary import ordinary_signals

PYTHON = "/usr/bin/python3"
RACY = ("jit_threads", "thr_*", "proc_fork*", "proc_vfork*", "proc_clone_vfork", "sig_storm*", "sig_timer*",
        "sig_swapcontext", "sig_self_pipe", "site_reuse", "site_self_modifying", "site_page_cross",
        "site_write_xor_execute", "step_calls", "fd_close_range")
LOOPS, REPEAT = 200, 10
CYCLES = LOOPS // REPEAT
KEPT_FAILURES = 50
PIECE_SECONDS = 900
LONG_TURNS = 5
STRESS_SECONDS = 20  # of each stressor of stress-ng; fewer under the oracle
# Of CPython's own tests one group is enough under the oracle: each takes minutes without it.
NOT_JUDGED = tuple(f"cpython_{name}" for name in runtimes_list.CPYTHON_TESTS if name != "threading")


def pieces(build, cycle):
    """The commands of one cycle. Hooks alternate from cycle to cycle; tactics are all in each."""
    tactics = machine.able()
    hook = ("count", "none", "clobber")[cycle % 3]
    steps = []
    for tactic in tactics:
        common = ("--build", build, "--tactic", tactic, "--hook")
        steps += [Step(f"racy guests [{tactic}, {hook}] x {REPEAT}",
                       [PYTHON, "tests/guests.py", *common, hook, "--repeat", str(REPEAT), *RACY], PIECE_SECONDS),
                  Step(f"guests [{tactic}, {hook}]", [PYTHON, "tests/guests.py", *common, hook], PIECE_SECONDS),
                  Step(f"programs [{tactic}, count]", [PYTHON, "tests/programs.py", *common, "count"], PIECE_SECONDS)]
    steps.append(tiers.as_nobody(build, tiers.guests(build, "jump", hook, PIECE_SECONDS)))
    for name in programs.names_of(long=True)[cycle % LONG_TURNS::LONG_TURNS]:
        steps += long_pieces(build, name, tactics, tactics[cycle // LONG_TURNS % len(tactics)])
    steps.append(tiers.stress(build, 60, *tiers.STRESS_LEAST))
    longer = tiers.stress_programs()
    steps.append(tiers.stress(build, 60, program=longer[cycle % len(longer)]))
    return steps


def long_pieces(build, name, tactics, judged):
    """A long program in each tactic; and most of them in one under the oracle, which takes some times as long."""
    program, command = program_list.PROGRAMS[name], [PYTHON, "tests/programs.py", "--build", build, name]
    tactic_words = [word for tactic in tactics for word in ("--tactic", tactic)]
    steps = [Step(f"long program {name} [{' and '.join(tactics)}, count]",
                  ["env", f"STRESS_SECONDS={STRESS_SECONDS}", *command, *tactic_words],
                  program.seconds * (1 + len(tactics)) + 60)]
    if name not in NOT_JUDGED:
        steps.append(Step(f"long program {name} [{judged}, oracle]", [*command, "--tactic", judged, "--oracle"],
                          program.seconds * (1 + sessions.ORACLE_SLOWER) + 60))
    return steps


def new_state(library):
    return {"library": library, "cycle": 0, "piece": 0, "seconds": 0.0, "failures": [], **dict.fromkeys(VERDICTS, 0)}


def load_state(path, build, reset):
    with open(os.path.join(build, "libzlazy.so"), "rb") as file:
        library = hashlib.sha256(file.read()).hexdigest()[:16]
    if reset or not os.path.exists(path):
        return new_state(library)
    with open(path, encoding="utf-8") as file:
        state = json.load(file)
    if state["library"] == library:
        return state
    print("soak: another libzlazy.so than last time: the figures begin anew")
    return new_state(library)


def save_state(path, state):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(state, file, indent=1)
    os.replace(path + ".new", path)


def add(state, result, cycle_length):
    for verdict in VERDICTS:
        state[verdict] += getattr(result, verdict)
    state["seconds"] += result.seconds
    failures = [f"cycle {state['cycle']}: {line}" for line in result.lines if line.startswith("FAIL ")]
    state["failures"] = (state["failures"] + failures)[:KEPT_FAILURES]
    state["piece"] += 1
    if state["piece"] >= cycle_length:
        state["cycle"], state["piece"] = state["cycle"] + 1, 0


def show(state):
    print(f"\nsoak: {state['cycle']} cycles and {state['piece']} pieces in {state['seconds'] / 60:.0f} minutes; "
          f"{min(state['cycle'], CYCLES) * REPEAT} of {LOOPS} runs of each racy guest are done")
    print(*state["failures"], sep="\n", end="\n" if state["failures"] else "")
    print(", ".join(f"{state[verdict]} {verdict}" for verdict in VERDICTS))


def main():
    ordinary_signals()
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--reset", action="store_true")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    if machine.why_no_dispatch():
        print(f"SKIP soak: {machine.why_no_dispatch()}\n0 passed, 0 failed, 1 skipped")
        return 0
    os.makedirs(os.path.join(build, "soak"), exist_ok=True)
    path = os.path.join(build, "soak", "state.json")
    state = load_state(path, build, options.reset)
    end = time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        steps = pieces(build, state["cycle"])
        step = steps[state["piece"] % len(steps)]   # the list may be shorter than last time
        add(state, run_step(step, step.seconds), len(steps))
        save_state(path, state)
    show(state)
    return 1 if state["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
