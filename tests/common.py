"""What the test programs, the benches and the scripts share: environments, hooks, ports."""
import os
import socket

EXAMPLES = ("clock", "count", "deny", "fake")
COUNTERS = 513  # of the count hook: numbers 0 to 511, and the others


def clean_environment(**more):
    """This environment without anything of the agent's, and `more`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ZLAZY_") and k != "LD_PRELOAD"}
    return {**kept, **more}


def hook_path(build, name):
    """The file of an example hook, or of one of tests/hooks."""
    return os.path.join(build, "examples" if name in EXAMPLES else "tests/hooks", name + ".so")


def make_counters(path):
    """An empty file for the count hook. Returns its path."""
    with open(path, "wb") as file:
        file.write(bytes(COUNTERS * 8))
    return path


def hook_setting(build, hook, scratch=None):
    """ZLAZY_HOOK for a name or a path, with or without `:argument`. count without one counts in a file in scratch."""
    name, _, argument = hook.partition(":")
    path = os.path.abspath(name) if "/" in name else hook_path(build, name)
    if name == "count" and not argument and scratch:
        argument = make_counters(os.path.join(scratch, "counters"))
    return path + (":" + argument if argument else "")


def free_port():
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
