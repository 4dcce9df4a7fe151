#!/usr/bin/python3
"""`cmake --install` into an empty folder: what is there, and whether a hook can be built against it.

- the library with its soname, the header, the command and the pkg-config file; no second header
- a hook compiles with nothing but what pkg-config says, as C and as C++, says its ABI, and runs under the installed
  library
- the installed command, which was configured for another prefix, finds the installed library
- a gdb whose data are in that prefix finds the library's script by itself, and trusts it

    tests/test_install.py --build build      last line: N passed, N failed, N skipped
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import common
import machine

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PRINT_PID = [machine.PYTHON, "-c", "import os\nprint(os.getpid())\nprint(open('/proc/self/maps').read())"]
HOOK = r"""
#include <zlazy/zlazy.h>
static long on_call(struct zlazy_call *call, void *data) { (void)call; (void)data; return 4242; }
#ifdef __cplusplus
extern "C"
#endif
__attribute__((visibility("default")))
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


def build_hook(prefix, folder, compiler, language):
    """A hook made with nothing but what is installed; returns its path."""
    folders = os.path.dirname(find(prefix, "**/pkgconfig/zlazy.pc"))
    flags = subprocess.run(["pkg-config", "--define-prefix", "--cflags", "zlazy"], check=True, capture_output=True,
                           text=True, env={**os.environ, "PKG_CONFIG_PATH": folders}).stdout.split()
    source, hook = os.path.join(folder, "hook.c"), os.path.join(folder, f"hook-{language}.so")
    with open(source, "w", encoding="utf-8") as file:
        file.write(HOOK)
    subprocess.run([compiler, "-x", language, "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-shared", "-fPIC",
                    *flags, source, "-o", hook], check=True)
    return hook


def expect_hooked(words, environment):
    said = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if said.returncode != 0 or not said.stdout.startswith("4242\n"):
        raise AssertionError(f"status {said.returncode}: {said.stdout}{said.stderr}")
    return said.stdout


def check_hook(prefix, folder):
    """a hook built against what is installed runs"""
    for language, compiler in (("c", os.environ.get("CC", "cc")), ("c++", os.environ.get("CXX", "c++"))):
        hook = build_hook(prefix, folder, compiler, language)
        if "zlazy_hook_abi" not in subprocess.run(["nm", "-D", hook], capture_output=True, text=True).stdout:
            raise AssertionError(f"{language}: zlazy_hook_abi is not exported")
        if not machine.why_no_dispatch():
            expect_hooked(PRINT_PID, common.clean_environment(LD_PRELOAD=find(prefix, "**/libzlazy.so"), ZLAZY_HOOK=hook,
                                                              ZLAZY_QUIET="1"))


def check_command(prefix, folder):
    """the installed command runs the installed library, with a hook from elsewhere"""
    hook = build_hook(prefix, folder, os.environ.get("CC", "cc"), "c")
    if machine.why_no_dispatch():
        return
    words = [os.path.join(prefix, "bin/zlazy"), "--quiet", "--hook", hook, "--", *PRINT_PID]
    maps = expect_hooked(words, common.clean_environment())
    if os.path.realpath(find(prefix, "**/libzlazy.so")) not in maps:
        raise AssertionError(f"another library is loaded: {maps}")


def gdb(*words):
    return subprocess.run(["gdb", "-q", "-nx", "-batch", *words], env=common.clean_environment(), text=True, check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def check_gdb(prefix, _):
    """gdb finds the script of the installed library by its path"""
    if not shutil.which("gdb"):
        print("SKIP install: no gdb here")
        return
    own = re.search(r'"(.*)"', gdb("-ex", "show data-directory"))[1]
    data = os.path.join(prefix, "share/gdb")
    for name in set(os.listdir(own)) - set(os.listdir(data)):
        os.symlink(os.path.join(own, name), os.path.join(data, name))
    library = os.path.realpath(find(prefix, "**/libzlazy.so"))
    for words, is_found in ((["--data-directory", data], True), ([], False)):
        said = gdb(*words, "-ex", "info unwinder", "-ex", "info signals SIGSYS", library)
        if ("zlazy" in re.findall(r"^  (\w+)", said, re.M)) != is_found or \
                bool(re.search(r"^SIGSYS\s+No\s+No\s+Yes", said, re.M)) != is_found:
            raise AssertionError(f"{words}: {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    options = parser.parse_args()
    failed, checks = 0, (check_files, check_hook, check_command, check_gdb)
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
