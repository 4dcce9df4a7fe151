#!/usr/bin/python3
"""What scripts/quickstart shows once everything is built: `zlazy -c --stats` on two real programs."""
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import common
import machine

REQUESTS = 100000
TIMEOUT = 120
TOP_CALLS = 12


def choose_tactic():
    """auto, unless page zero is only had on demand: generated code is rewritten in no other way."""
    if machine.why_no_zpoline():
        print(f"Sites become jumps on this machine, and those of generated code trap: {machine.why_no_zpoline()}.\n")
        return "auto"
    if machine.default_tactic() == "zpoline":
        return "auto"
    print("This CPU has no protection keys: NULL would become readable, so zlazy uses page zero only if told to\n"
          "(--tactic zpoline), as here. Without it sites become jumps, and those of generated code trap.\n")
    return "zpoline"


def zlazy(report, tactic, *program):
    words = ["build/zlazy", "-c", "--stats", "--tactic", tactic, "-o", report, "--", *program]
    print("$ " + shlex.join(words).replace(f"-o {report} ", ""), flush=True)
    return words


def print_report(path):
    """The rows of the table that matter most, and the statistics."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    rows = [i for i, line in enumerate(lines) if re.match(r"\s*\d+\.\d+\s+\d", line)]
    hidden = set(rows[TOP_CALLS:-1]) if rows else set()
    for i, line in enumerate(lines):
        if i not in hidden:
            print(line)
        elif i == rows[TOP_CALLS]:
            print(f"  ... {len(hidden)} more rows")
    print(flush=True)


def check_report(path):
    """Whether the run was hooked at all."""
    with open(path, encoding="utf-8", errors="replace") as file:
        hooked = re.search(r"calls hooked\s+(\d+)", file.read())
    return bool(hooked) and int(hooked[1]) > 0


def show_generator(folder, tactic):
    report = os.path.join(folder, "generator")
    print("A program that writes code with system calls into memory, and runs it from eight threads:")
    done = subprocess.run(zlazy(report, tactic, "build/tests/guests/jit_threads"), cwd=ROOT,
                          stdin=subprocess.DEVNULL, timeout=TIMEOUT)
    if done.returncode != 0:
        print(f"FAIL: it ended with status {done.returncode}")
        return False
    print_report(report)
    return check_report(report)


def wait_for(port, server):
    for _ in range(600):
        if server.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def run_clients(port):
    """redis-benchmark, natively, against the hooked server; then the server is told to end."""
    words = ["redis-benchmark", "-p", str(port), "-n", str(REQUESTS), "-t", "get,set", "-q"]
    print("$ " + " ".join(words), flush=True)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    print("\n".join(re.findall(r"\w+: [\d.]+ requests per second.*", done.stdout)))
    subprocess.run(["redis-cli", "-p", str(port), "shutdown", "nosave"], stdin=subprocess.DEVNULL, timeout=TIMEOUT)
    return done.returncode == 0


def show_redis(folder, tactic):
    report, port = os.path.join(folder, "redis"), common.free_port()
    print("redis-server, hooked, under redis-benchmark:")
    words = zlazy(report, tactic, "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "")
    with open(os.path.join(folder, "server"), "w+", encoding="utf-8") as output:
        server = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            good = wait_for(port, server) and run_clients(port) and server.wait(TIMEOUT) == 0
        finally:
            if server.poll() is None:
                server.terminate()
                server.wait()
        if not good:
            output.seek(0)
            print("FAIL: " + output.read()[-1000:])
            return False
    print_report(report)
    return check_report(report)


def main():
    if machine.why_no_dispatch():
        print(f"zlazy can't work on this machine: {machine.why_no_dispatch()}")
        return 1
    tactic = choose_tactic()
    with tempfile.TemporaryDirectory(prefix="zlazy-show-") as folder:
        good = [show(folder, tactic) for show in (show_generator, show_redis)]
    print("Each row of the statistics: sites are rewritten once, after one trap each; calls hooked is what a hook sees."
          if all(good) else "quickstart: something did not work: see above")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
