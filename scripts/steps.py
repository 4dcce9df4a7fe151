"""Run test commands one after the other, count what they report, print one account. Used by tiers.py and soak.py.

A command says how it went by its last line, `N passed, N failed, N skipped`; or as CMocka or unittest do; or only by
its exit status (77: skipped), and is then one test. A bad exit status is a failure whatever was printed. Lines that
begin with SKIP or FAIL are shown again at the end.
"""
import os
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import common

SKIPPED = 77
GRACE_SECONDS = 20  # to end its own programs, once it has been told to stop
CLOSING = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped$")
VERDICTS = ("passed", "failed", "skipped")


class Step:
    """One command. seconds: when to stop it; skip: why not to run it at all."""

    def __init__(self, name, words, seconds=120, skip=None):
        self.name, self.words, self.seconds, self.skip = name, words, seconds, skip


class Result:
    def __init__(self, name, passed=0, failed=0, skipped=0, lines=()):
        self.name, self.passed, self.failed, self.skipped = name, passed, failed, skipped
        self.lines = list(lines)  # SKIP and FAIL lines
        self.seconds = 0.0


def count_cmocka(text):
    counts = [re.findall(rf"^\[ +{word} +\] (\d+) test\(s\)", text, re.M) for word in ("PASSED", "FAILED", "SKIPPED")]
    return [sum(map(int, found)) for found in counts] if counts[0] else None


def count_unittest(text):
    ran = re.search(r"^Ran (\d+) tests? in .*\n+(?:OK|FAILED)(.*)", text, re.M)
    if not ran:
        return None
    figures = dict(re.findall(r"(failures|errors|skipped)=(\d+)", ran[2]))
    failed, skipped = int(figures.get("failures", 0)) + int(figures.get("errors", 0)), int(figures.get("skipped", 0))
    return [int(ran[1]) - failed - skipped, failed, skipped]


def count(lines, status):
    """[passed, failed, skipped] of a command."""
    closing = CLOSING.match(lines[-1]) if lines else None
    text = "\n".join(lines)
    figures = [int(n) for n in closing.groups()] if closing else count_cmocka(text) or count_unittest(text)
    if figures is None:
        figures = [int(status == 0), 0, int(status == SKIPPED)]
    if status not in (0, SKIPPED) and figures[1] == 0 or sum(figures) == 0:
        figures[1] += 1
    return figures


def noted_lines(name, lines, figures, status):
    """SKIP and FAIL lines of a command, and one of our own where it said nothing."""
    noted = [line for line in lines if line.startswith(("SKIP ", "FAIL "))]
    if figures[1] and not any(line.startswith("FAIL ") for line in noted):
        last = next((line for line in reversed(lines) if line.strip() and not CLOSING.match(line)), "no output")
        noted.append(f"FAIL {name}: {status_text(status)}: {last.strip()}")
    if figures[2] and not any(line.startswith("SKIP ") for line in noted):
        noted.append(f"SKIP {name}: {figures[2]} of it: {lines[-1].strip() if status == SKIPPED else 'see its output'}")
    return noted


def status_text(status):
    return f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"


def plain_environment():
    return common.clean_environment(PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8")


def end_group(process):
    """Ask, wait, kill."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE_SECONDS)
            return
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def execute(step, seconds):
    """Run the command, passing its output through. Returns (status, lines, whether it was stopped)."""
    process = subprocess.Popen(step.words, cwd=ROOT, env=plain_environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    stopped = threading.Event()

    def stop():
        stopped.set()
        end_group(process)
    timer = threading.Timer(seconds, stop)
    timer.start()
    lines = []
    try:
        for raw in process.stdout:
            lines.append(raw.decode(errors="replace").rstrip("\n"))
            print("  " + lines[-1], flush=True)
        return process.wait(), lines, stopped.is_set()
    finally:
        timer.cancel()
        process.stdout.close()
        if process.poll() is None:
            end_group(process)


def run_step(step, seconds_left):
    """Returns the Result."""
    if step.skip:
        result = Result(step.name, skipped=1, lines=[f"SKIP {step.name}: {step.skip}"])
        print(result.lines[0], flush=True)
        return result
    if seconds_left <= 0:
        return Result(step.name, failed=1, lines=[f"FAIL {step.name}: not run: the time of this tier is over"])
    print(f"== {step.name}", flush=True)
    began, seconds = time.monotonic(), min(step.seconds, seconds_left)
    status, lines, stopped = execute(step, seconds)
    if stopped:
        figures = [0, 1, 0]
        noted = [line for line in lines if line.startswith(("SKIP ", "FAIL "))]
        noted.append(f"FAIL {step.name}: stopped after {seconds:.0f} s; last: {lines[-1] if lines else 'no output'}")
    else:
        figures = count(lines, status)
        noted = noted_lines(step.name, lines, figures, status)
    result = Result(step.name, *figures, noted)
    result.seconds = time.monotonic() - began
    return result


def report(results):
    """The account; its last line is the total. Returns the exit status."""
    print("\n passed failed skipped  seconds")
    for r in results:
        print(f"{r.passed:>7}{r.failed:>7}{r.skipped:>8}{r.seconds:>9.1f}  {r.name}")
    for kind in ("SKIP ", "FAIL "):
        lines = [line for r in results for line in r.lines if line.startswith(kind)]
        if lines:
            print("", *lines, sep="\n")
    total = [sum(getattr(r, verdict) for r in results) for verdict in VERDICTS]
    print("\n" + ", ".join(f"{n} {verdict}" for n, verdict in zip(total, VERDICTS)), flush=True)
    return 1 if total[1] or not total[0] else 0
