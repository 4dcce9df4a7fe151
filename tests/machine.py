"""What this machine can do, found out without the agent: so that a test is skipped for the machine's reasons only.

Each question is put to a child process that makes the system call itself. The answer is None, or the reason why not.
"""
import functools
import re
import subprocess

PYTHON = "/usr/bin/python3"
TACTICS = ("auto", "zpoline", "jump", "trap")  # what ZLAZY_TACTIC may be
# Page zero, mapped without any access and unmapped again: prints what errno says.
PAGE_ZERO = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
at = libc.mmap(None, 4096, 0, 0x32, -1, 0)
print("" if at is None else os.strerror(ctypes.get_errno()))
"""
# Syscall User Dispatch that lets every address through: changes nothing.
DISPATCH = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
wrong = libc.prctl(59, 1, ctypes.c_ulong(0), ctypes.c_ulong(-4096), None)
print(os.strerror(ctypes.get_errno()) if wrong else "")
"""


def ask(program):
    done = subprocess.run([PYTHON, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else f"the question itself failed: {done.stderr.strip()}"


def has(flag):
    """A flag of /proc/cpuinfo."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        return re.search(rf"^flags.*\b{flag}\b", info.read(), re.M) is not None


def has_pku():
    """Protection keys in this CPU and kernel."""
    return has("ospke")


@functools.lru_cache(None)
def why_no_dispatch():
    wrong = ask(DISPATCH)
    return f"no Syscall User Dispatch in this kernel: {wrong}" if wrong else None


@functools.lru_cache(None)
def why_no_zpoline():
    """Why ZLAZY_TACTIC=zpoline can't work. Without protection keys it does (page zero is then readable)."""
    wrong = ask(PAGE_ZERO)
    return f"page zero can't be mapped here (vm.mmap_min_addr, CAP_SYS_RAWIO, SELinux): {wrong}" if wrong else None


def why_not(tactic):
    """Why ZLAZY_TACTIC=tactic can't work."""
    return why_no_dispatch() or (why_no_zpoline() if tactic == "zpoline" else None)


def able():
    """The tactics that can be demanded here: each has paths of its own."""
    return tuple(tactic for tactic in TACTICS if tactic != "auto" and not (tactic == "zpoline" and why_no_zpoline()))


def default_tactic():
    """What auto begins with: page zero where it is there and can't be read. Jumps take what is left; elsewhere, all."""
    return "zpoline" if not why_no_zpoline() and has_pku() else "jump"
