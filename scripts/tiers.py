#!/usr/bin/python3
"""The tiers of scripts/test: which commands, in which order, for how long.

    --quick     3 minutes: layers, symbols, units, hooks, start-up, guests under the default tactic and zpoline
    (none)     15 minutes: guests in every tactic with every kind of hook, and as nobody without page zero; programs by
               zpoline and jump, the command, stress
    --ci       55 minutes: everything once, the oracle, programs and stress as nobody, other builds and the benches
               included

Called by scripts/test, after scripts/setup. What is here but not on this machine (page zero, Syscall User Dispatch)
is skipped, with the reason.
"""
import argparse
import glob
import json
import os
import sys
import time

sys.dont_write_bytecode = True
from steps import ROOT, Step, report, run_step
sys.path.insert(0, os.path.join(ROOT, "tests"))
import machine
from ordinary import ordinary_signals

PYTHON = "/usr/bin/python3"
MINUTES = {"quick": 3, "test": 15, "ci": 55}
HOOKS = ("none", "count", "clobber")
REWRITING = ("zpoline", "jump")
# The shorter ones of tests/program_list.py.
SHORT_PROGRAMS = ("bash", "dash", "python", "gcc", "make", "git", "tar", "sqlite", "redis", "nginx", "luajit", "jit",
                  "plugin")
# A million signals, each accounted for, and 10,000 cancellations of threads that are blocked in read.
STRESS_LEAST = ("signals=1000000", "cancel=10000")
COUNTED_GUESTS = ("jit_threads", "plugin_dlopen", "proc_fork", "thr_many")
COUNTED_PROGRAMS = {
    "ls": ("ls", "-la", "/usr/share/doc"),
    "bash": ("bash", "-c", "for i in 1 2 3; do ls / | cat; (true); done; echo $(exec /bin/echo x)"),
    "python3": (PYTHON, "-I", "tests/inputs/work.py"),
    "redis": (PYTHON, "tests/redis_session.py"),
}


def python(path, *words):
    return [PYTHON, os.path.join(ROOT, path), *words]


def sources():
    return [Step("layers", python("tests/test_layers.py")),
            Step("the account itself", python("tests/test_steps.py")),
            Step("the oracle itself", python("tests/test_oracle.py"))]


def label(build):
    """What tells other builds from build/."""
    return "" if build == os.path.join(ROOT, "build") else f", {os.path.basename(build)}"


def units(build):
    """Every CMocka program of this build."""
    programs = sorted(path for path in glob.glob(os.path.join(build, "tests/unit/test_*"))
                      if os.path.isfile(path) and os.access(path, os.X_OK))
    if not programs:
        return [Step(f"units{label(build)}", ["sh", "-c", f"echo 'no programs in {build}/tests/unit'; exit 1"])]
    return [Step(f"unit {os.path.basename(path)}{label(build)}", [path]) for path in programs]


def guests(build, tactic, hook, seconds, **variables):
    more = [f"{name}={value}" for name, value in variables.items()]
    sets = [word for variable in more for word in ("--set", variable)]
    return Step(f"guests [{', '.join([tactic, hook, *more])}{label(build)}]",
                python("tests/guests.py", "--build", build, "--tactic", tactic, "--hook", hook, *sets), seconds,
                machine.why_not(tactic))


def as_nobody(build, step):
    """The same as an ordinary user's, who has no page zero: tests/nobody.py runs it in a copy of this tree."""
    def there(word):
        return "build" if word == build else os.path.relpath(word, ROOT) if word.startswith(ROOT + os.sep) else word
    words = python("tests/nobody.py", "--build", build, *map(there, step.words))
    return Step(f"{step.name}, as nobody", words, step.seconds + 60, step.skip)


def guests_in_all(build):
    """Every tactic with every kind of hook; auto only once where one of the others is the same (machine.py)."""
    hooks = {tactic: HOOKS for tactic in machine.TACTICS}
    if machine.default_tactic() == "jump":
        hooks["auto"] = HOOKS[:1]
    return [guests(build, tactic, hook, 240) for tactic in machine.TACTICS for hook in hooks[tactic]]


def many_threads(build):
    """100,000 threads in one process."""
    return [Step(f"a hundred thousand threads [{tactic}]",
                 python("tests/guests.py", "--build", build, "--tactic", tactic, "--hook", "clobber", "--set",
                        "GUEST_THREADS=100000", "thr_churn"), 120, machine.why_not("trap"))
            for tactic in machine.able()]


def programs(build, tactic, seconds, *words):
    return Step(f"programs [{tactic}, {'oracle' if '--oracle' in words else 'count'}]",
                python("tests/programs.py", "--build", build, "--tactic", tactic, *words), seconds,
                machine.why_not(tactic))


def command(build):
    return Step("command", python("tests/command/test_command.py", build), 240)


def hooks(build, *which):
    return [Step("hooks", python("tests/test_hooks.py", build, *which), 180, machine.why_not("trap")),
            Step("start-up", python("tests/test_startup.py", build), 120, machine.why_not("trap")),
            Step("decoder", python("tests/test_decoder.py", build), 60, machine.why_not("trap")),
            Step("settings", python("tests/test_settings.py", build), 120, machine.why_not("trap")),
            Step("gs", python("tests/test_gs.py", build), 120, machine.why_not("trap"))]


def sealed(build):
    return Step("shared memory read-only", python("tests/test_sealed.py", build), 120, machine.why_not("trap"))


def vdso(build):
    return Step("vDSO", python("tests/test_vdso.py", build), 180, machine.why_not("trap"))


def jit(build):
    return Step("settings for generated code", python("tests/test_jit.py", build), 120, machine.why_not("trap"))


def warm(build):
    return Step("after warm-up", python("tests/test_warm.py", build), 300, machine.why_not("trap"))


def blocking(build):
    return Step("blocking hooks", python("tests/test_blocking.py", build), 240, machine.why_not("trap"))


def audit(build):
    return Step("audit modules", python("tests/test_audit.py", build), 120, machine.why_not("trap"))


def faults(build):
    return Step(f"faults{label(build)}", python("tests/test_faults.py", build), 480, machine.why_not("trap"))


def stress(build, seconds, *least, program=None, tactic=None):
    """All programs, or one; in all tactics, or one. least: totals to reach, for which it may take twice as long."""
    words = [os.path.join(ROOT, "stress", "run"), "--build", build, "--seconds", str(seconds)]
    words += [word for total in least for word in ("--least", total)]
    words += (["--tactic", tactic] if tactic else []) + ([program] if program else [])
    name = " ".join(filter(None, ("stress", program, tactic and f"[{tactic}]")))
    return Step(name, words, seconds * 2 + 60, machine.why_not("trap"))


def stress_programs():
    return sorted(os.path.basename(path)[:-2] for path in glob.glob(os.path.join(ROOT, "stress", "*.c"))
                  if os.path.basename(path) != "plugin.c")


def counted(build):
    """The count hook's numbers against strace's, and no stray call."""
    folder = os.path.join(build, "tests/guests")
    whole = {**{name: (os.path.join(folder, name),) for name in COUNTED_GUESTS}, **COUNTED_PROGRAMS}
    return [Step(f"counts of {name} [{tactic}]",
                 python("tests/oracle.py", "--build", build, "--tactic", tactic, "--counts", "--", *words), 240,
                 machine.why_not("trap"))
            for tactic in machine.able() for name, words in whole.items()]


def other_builds():
    """What the other presets are for: guests with assertions, programs with failing calls, units under asan."""
    with open(os.path.join(ROOT, "CMakePresets.json"), encoding="utf-8") as file:
        presets = {p["name"]: p.get("binaryDir", "").replace("${sourceDir}", ROOT)
                   for p in json.load(file)["configurePresets"] if not p.get("hidden")}
    steps = []
    for name, run_guests in (("debug", True), ("fault", False), ("asan-units", False)):
        if name in presets:
            steps.append(Step(f"build {name}", [os.path.join(ROOT, "scripts/setup"), name], 600))
            steps.append((lambda folder=presets[name]: units(folder)))  # known once it is built
            if run_guests:
                steps += [guests(presets[name], tactic, "none", 300) for tactic in REWRITING]
            if name == "fault":
                steps.append(faults(presets[name]))
    return steps


def bench():
    """Memory has to be within its limits; times only roughly, for one round on a machine that does other things, and
    with few sites and threads where there can be many. Of the real programs some, shortly: they have to work under
    everything that they are compared with."""
    roughly = ("--rounds", "1", "--margin", "5")
    return [Step("bench", [os.path.join(ROOT, "bench/run"), *roughly, "--small", "--without", "apps"], 600),
            Step("bench of programs", [os.path.join(ROOT, "bench/apps"), *roughly, "--seconds", "2", "redis", "nginx",
                                       "sqlite3", "tar"], 400)]


def quick(build):
    return [*sources(), Step("symbols", python("tests/test_symbols.py", "--build", build)), *units(build),
            *hooks(build, "-k", "Zpoline", "-k", "Jump"), guests(build, "auto", "none", 120),
            guests(build, "zpoline", "none", 120)]


def usual(build):
    more = [as_nobody(build, guests(build, "jump", "count", 240)),
            guests(build, "zpoline", "none", 240, ZLAZY_SLED="short", ZLAZY_RETURN="ret"),
            guests(build, "zpoline", "none", 240, ZLAZY_RETURN="jump"),
            guests(build, "auto", "count", 240, ZLAZY_VDSO="hook")]
    return [*sources(), Step("symbols", python("tests/test_symbols.py", "--build", build)),
            Step("unwind", python("tests/test_unwind.py", "--build", build)),
            Step("a signal at every instruction", python("tests/test_inject.py", "--build", build), 300),
            Step("instructions of the hot path", python("tests/test_hotpath.py", "--build", build), 120),
            Step("cores", python("tests/test_core.py", build), 120, machine.why_not("trap")), *units(build),
            Step("charts", python("tests/test_plot.py")), command(build), *hooks(build), vdso(build), jit(build),
            sealed(build), audit(build), blocking(build),
            *guests_in_all(build), *more, *(programs(build, tactic, 300, *SHORT_PROGRAMS) for tactic in REWRITING),
            stress(build, 60)]


def unprivileged(build):
    """What else an ordinary user's programs do."""
    return [as_nobody(build, step) for step in (guests(build, "auto", "clobber", 240), programs(build, "jump", 600),
                                                stress(build, 20, tactic="jump"))]


def everything(build):
    before = [step for step in usual(build) if not step.name.startswith(("programs", "stress"))]
    install = Step("install", python("tests/test_install.py", "--build", build))
    return [*before, stress(build, 60, *STRESS_LEAST), install, warm(build), *many_threads(build),
            *counted(build), *(programs(build, tactic, 900) for tactic in machine.able()), *unprivileged(build),
            *(programs(build, tactic, 1200, "--oracle") for tactic in machine.able()), *other_builds(), *bench()]


def ordered(steps):
    """Steps, and functions that answer steps when their turn comes."""
    for step in steps:
        if callable(step):
            yield from step()
        else:
            yield step


def main():
    ordinary_signals()
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--quick", dest="tier", action="store_const", const="quick", default="test")
    group.add_argument("--ci", dest="tier", action="store_const", const="ci")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--started", type=float, default=time.time(), help=argparse.SUPPRESS)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    end = options.started + 60 * MINUTES[options.tier]
    plan = {"quick": quick, "test": usual, "ci": everything}[options.tier](build)
    results = [run_step(step, end - time.time()) for step in ordered(plan)]
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
