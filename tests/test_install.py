#!/usr/bin/python3
"""`cmake --install` into an empty folder: what is there, and whether a hook can be built against it.

- the library with its soname, the header, the command and the pkg-config file; no second header
- a hook compiles with nothing but what pkg-config says, and runs under the installed library

    tests/test_install.py --build build      last line: N passed, N failed, N skipped
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import machine

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOOK = r"""
#include <zlazy/zlazy.h>
static long on_call(struct zlazy_call *call, void *data) { (void)call; (void)data; return 4242; }
int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	(void)argument;
	hook->on_call = on_call;
	zlazy_want(hook, 39);
	return api->version == ZLAZY_ABI_VERSION ? 0 : -1;
}
"""


def find(prefix, pattern):
    found = glob.glob(os.path.join(prefix, pattern), recursive=True)
    if not found:
        raise AssertionError(f"not installed: {pattern}")
    return found[0]


def check_files(prefix, _):
    """library, header, command, pkg-config file"""
    for pattern in ("bin/zlazy", "**/libzlazy.so", "**/pkgconfig/zlazy.pc", "include/zlazy/zlazy.h"):
        find(prefix, pattern)
    headers = glob.glob(os.path.join(prefix, "**/*.h"), recursive=True)
    if len(headers) != 1:
        raise AssertionError(f"headers: {headers}")
    subprocess.run([os.path.join(prefix, "bin/zlazy"), "--version"], stdout=subprocess.DEVNULL, check=True)


def check_hook(prefix, folder):
    """a hook built against what is installed runs"""
    folders = os.path.dirname(find(prefix, "**/pkgconfig/zlazy.pc"))
    flags = subprocess.run(["pkg-config", "--define-prefix", "--cflags", "zlazy"], check=True, capture_output=True,
                           text=True, env={**os.environ, "PKG_CONFIG_PATH": folders}).stdout.split()
    source, hook = os.path.join(folder, "hook.c"), os.path.join(folder, "hook.so")
    with open(source, "w", encoding="utf-8") as file:
        file.write(HOOK)
    subprocess.run([os.environ.get("CC", "cc"), "-Wall", "-Werror", "-shared", "-fPIC", *flags, source, "-o", hook],
                   check=True)
    if machine.why_no_dispatch():
        return
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ZLAZY_") and k != "LD_PRELOAD"}
    hooked = {**clean, "LD_PRELOAD": find(prefix, "**/libzlazy.so"), "ZLAZY_HOOK": hook, "ZLAZY_QUIET": "1"}
    said = subprocess.run([machine.PYTHON, "-c", "import os; print(os.getpid())"], env=hooked, capture_output=True,
                          text=True)
    if said.stdout != "4242\n":
        raise AssertionError(f"status {said.returncode}: {said.stdout}{said.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    options = parser.parse_args()
    failed, checks = 0, (check_files, check_hook)
    with tempfile.TemporaryDirectory(prefix="zlazy-install-") as folder:
        prefix = os.path.join(folder, "prefix")
        subprocess.run(["cmake", "--install", options.build, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        for check in checks:
            try:
                check(prefix, folder)
            except (AssertionError, OSError, subprocess.CalledProcessError) as wrong:
                failed += 1
                print(f"FAIL install: {check.__doc__}: {wrong}")
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
