#!/usr/bin/python3
"""Run a command of the tests as an ordinary user's: as nobody, without a capability, with page zero refused.

    tests/nobody.py --build build tests/guests.py --build build --tactic jump
    tests/nobody.py --build build stress/run --build build --seconds 20

tests/without/without takes the privileges away, and asserts that they are gone, page zero too, before it executes the
command (status 77 and the reason if not). Everything under test is then nobody's, the native runs as well. He may not
be able to read this tree, so the command runs in a copy, which it can't write: tests, stress, and of the build, there
named build/, what runs. HOME and TMPDIR are his. The copy is removed at the end; the status is the command's.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOBODY = 65534
SOURCES = ("tests", "stress")
BUILT = ("libzlazy.so", "zlazy", "examples", "stress", "tests/guests", "tests/hooked", "tests/hooks", "tests/without")
NOT_COPIED = shutil.ignore_patterns("__pycache__", "CMakeFiles")


def copy(source, target):
    if os.path.isdir(source):
        shutil.copytree(source, target, ignore=NOT_COPIED)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(source, target)


def let_all_read(folder):
    for path, _, names in os.walk(folder):
        os.chmod(path, 0o755)
        for name in names:
            file = os.path.join(path, name)
            os.chmod(file, 0o755 if os.stat(file).st_mode & 0o100 else 0o644)


def make_place(build, folder):
    """The copy, and two folders of nobody's. Returns his environment."""
    for name in SOURCES:
        copy(os.path.join(ROOT, name), os.path.join(folder, name))
    for name in BUILT:
        copy(os.path.join(build, name), os.path.join(folder, "build", name))
    let_all_read(folder)
    own = {name: os.path.join(folder, name.lower()) for name in ("HOME", "TMPDIR")}
    for path in own.values():
        os.mkdir(path)
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    return {**os.environ, **own, "USER": "nobody", "LOGNAME": "nobody"}


def stop(*_):
    sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="paths are of the copy")
    options = parser.parse_args()
    if not options.command:
        parser.error("which command?")
    signal.signal(signal.SIGTERM, stop)
    with tempfile.TemporaryDirectory(prefix="zlazy-nobody-", ignore_cleanup_errors=True) as folder:
        environment = make_place(os.path.abspath(options.build), folder)
        without = os.path.join(folder, "build/tests/without/without")
        words = [without, "privileges", "--", without, "page-zero", "--", *options.command]
        with subprocess.Popen(words, cwd=folder, env=environment) as child:
            try:
                status = child.wait()
            except SystemExit:
                child.terminate()
                raise
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main())
