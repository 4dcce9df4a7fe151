"""loops.py - what bench/calls and bench/table share: variants of the loop program, run in turn, each checked.

A variant is a short process (programs/loop.c); a round runs all of them a few times, one after the other, on one
processor, in a rotated order, and takes the median of each. A run counts only if it measured what it claims: the
answer, the site's bytes (whether, and how, it was rewritten), and how often the hook has run. What none of these shows,
the tactic, the sled and how registers are kept, the agent tells once, when the variants are tried.
"""
import os
import re
import statistics
import subprocess

import harness

GETPID, NO_SUCH_CALL = "39", "500"
ENOSYS = -38
# The bytes of the site, or of the mov before it and the site: regular expressions.
NATIVE_SITE, REWRITTEN_SITE, CAVE_SITE = "0f05", "ffd0", "eb.."
INT3_SITE, UD2_SITE = "cc90", "0f0b"
CALL_BEHIND_MOV, JUMP_OF_MOV = "b8.{8}ffd0", "e9.{8}0f05"
# The setting by which all registers are kept by xsavec and xrstor, whatever is in use.
XSAVEC = {"ZLAZY_VECTORS": "xsavec"}
SECONDS = 120  # after which a run hangs


class Variant:
    """name; kind and number for programs/loop.c; what is expected of it: (answer, site bytes), and, where the hook is
    one that counts (programs/hook.h), that it has run for each call. cpu: of the second process."""

    def __init__(self, name, kind, number, answer, site=NATIVE_SITE, environment=None, is_counted=False, cpu=None):
        self.name = name
        self.kind, self.number, self.cpu = kind, number, cpu
        self.answer = answer
        self.site = site
        self.environment = environment or harness.native_environment()
        self.is_counted = is_counted
        self.in_use = 0     # components of extended state, as in XCR0
        self.ns = []

    def words(self, milliseconds):
        return [self.kind, self.number, str(milliseconds)] + ([str(self.cpu)] if self.cpu is not None else [])


class Skipped(Exception):
    """The machine can't do it; the reason."""


class Failed(Exception):
    """A run did not do what it claims; what is wrong."""


def check_run(variant, pid, result, site, calls, runs):
    right = {"pid": result == pid, "enosys": result == ENOSYS, "answer": result != pid and result > 0}
    if not right[variant.answer]:
        raise Failed(f"{variant.name}: the call gave {result}, not the expected {variant.answer}")
    if not re.fullmatch(variant.site, site):
        raise Failed(f"{variant.name}: the site's bytes are {site}, not {variant.site}")
    if variant.is_counted and runs != calls:
        raise Failed(f"{variant.name}: the hook has run {runs} times for {calls} calls")
    if not variant.is_counted and runs not in (0, ENOSYS):
        raise Failed(f"{variant.name}: there is a hook that counts; it has run {runs} times for {calls} calls")


def run_once(program, variant, milliseconds):
    """Nanoseconds per call."""
    with subprocess.Popen([program, *variant.words(milliseconds)], env=variant.environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failed(f"{variant.name}: not finished after {SECONDS} s") from None
        except BaseException:
            process.kill()
            raise
    words = out.split()
    if process.returncode == harness.SKIPPED:
        raise Skipped(f"{variant.name}: {err.strip()}")
    if process.returncode != 0 or len(words) != 6:
        raise Failed(f"{variant.name}: status {process.returncode}: {err.strip() or 'nothing said'}")
    ns, result, site, calls, runs, in_use = words
    variant.in_use = int(in_use, 16)
    check_run(variant, process.pid, int(result), site, int(calls), int(runs))
    return float(ns)


def words_at_start(environment):
    """What the agent has to say of itself under these settings (agent/describe.c)."""
    tactic = environment["ZLAZY_TACTIC"]
    words = [f": tactic {tactic} ("]
    if tactic == "zpoline":
        words.append(f", {environment.get('ZLAZY_SLED', 'jump')} sled")
    if "ZLAZY_VECTORS" in environment:
        words.append(f", all registers kept ({environment['ZLAZY_VECTORS']} ")
    return words


def check_start(program, variant):
    """Raises Failed if another tactic, sled or way to keep registers is at work than the variant's name says."""
    if "ZLAZY_TACTIC" not in variant.environment:
        return
    environment = {**variant.environment, "ZLAZY_DEBUG": "1"}
    del environment["ZLAZY_QUIET"]
    said = subprocess.run([program, *variant.words(1)], env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=SECONDS).stderr
    missing = [word for word in words_at_start(variant.environment) if word not in said]
    if missing:
        raise Failed(f"{variant.name}: the agent doesn't say `{missing[0]}`, but: {said.strip() or 'nothing'}")


def try_all(program, variants, report):
    """Run each once, shortly; those that don't work leave the table, and are told."""
    usable = {}
    for key, variant in variants.items():
        try:
            run_once(program, variant, 2)
            check_start(program, variant)
            usable[key] = variant
        except Skipped as why:
            report.note(str(why))
        except Failed as wrong:
            report.fail(str(wrong))
    return usable


def measure_round(program, variants, options, turn, report):
    """One sample for each variant: the median of a few short runs, which are interleaved too."""
    runs = {key: [] for key in variants}
    for run in range(options.runs):
        for key in harness.rotated(variants, turn + run):
            try:
                runs[key].append(run_once(program, variants[key], options.milliseconds))
            except (Skipped, Failed) as wrong:
                report.fail(str(wrong))
                report.finish()
    for key, variant in variants.items():
        variant.ns.append(statistics.median(runs[key]))


def measure(program, variants, options, report):
    """All rounds, on one processor; returns the variants that can be had."""
    os.sched_setaffinity(0, {options.cpu})
    variants = try_all(program, variants, report)
    if not variants:
        report.finish()
    for turn in range(options.rounds):
        measure_round(program, variants, options, turn, report)
    return variants


def more_options(parser):
    parser.add_argument("--milliseconds", type=int, default=60, help="that a run takes (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="of each variant, each round (default: %(default)s)")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)), help="processor to run on")
