"""What test_hooks.py, test_startup.py and test_faults.py share: ways to run a program under the agent."""
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import closing   # noqa: E402
import common   # noqa: E402
import machine   # noqa: E402

PYTHON = os.path.realpath("/usr/bin/python3")


class AgentCase(unittest.TestCase):
    """self.directory: a place for files. tactic: what ZLAZY_TACTIC is set to."""
    build = ""
    tactic = "trap"

    def setUp(self):
        why = machine.why_not(self.tactic)
        if why:
            self.skipTest(why)
        self.directory = tempfile.mkdtemp(prefix="zlazy-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    @classmethod
    def hook(cls, name, argument=None):
        return common.hook_path(cls.build, name) + (f":{argument}" if argument is not None else "")

    @classmethod
    def guest(cls, name):
        return f"{cls.build}/tests/guests/{name}"

    def run_program(self, *words, hooks=(), before=(), variables=None, **more):
        """Under the agent; `before`: a launcher that stays without it. Variables of value None are not set."""
        settings = {"ZLAZY_TACTIC": self.tactic, "ZLAZY_QUIET": "1", "ZLAZY_HOOK": ";".join(hooks) or None,
                    "LD_PRELOAD": self.build + "/libzlazy.so", **(variables or {})}
        settings = [f"{name}={value}" for name, value in settings.items() if value is not None]
        command = [*before, "env", *settings, *words] if before else ["env", *settings, *words]
        more = {"timeout": 60, "stdin": subprocess.DEVNULL, **more}
        return subprocess.run(command, cwd=self.directory, env=common.clean_environment(), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, **more)

    def expect_one_line(self, done, *parts):
        self.assertRegex(done.stderr, r"\Azlazy: [^\n]+\n\Z")
        for part in parts:
            self.assertIn(part, done.stderr)

    def expect_refused(self, done, *parts, own_lines=0):
        """127, one line of the agent's after the hook's own; a program `touch started` has not run."""
        self.assertEqual(done.returncode, 127, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\A(zlazy: [^\n]+\n){%d}zlazy: cannot start: [^\n]+\n\Z" % own_lines)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertFalse(os.path.exists(self.path("started")), "the program was started")


def in_tactics(namespace, *cases, tactics=("zpoline", "jump")):
    """The same cases again in other tactics, as classes NameZpoline and so on of the module whose globals these are."""
    for case in cases:
        for tactic in tactics:
            name = case.__name__ + tactic.capitalize()
            namespace[name] = type(name, (case,), {"tactic": tactic, "__module__": case.__module__})


def main(module):
    """Run the TestCase classes of a module; the first argument is the build directory."""
    if len(sys.argv) < 2 or not os.path.exists(os.path.join(sys.argv[1], "libzlazy.so")):
        sys.exit(f"usage: {os.path.basename(sys.argv[0])} BUILD_DIR [test ...]   (BUILD_DIR must be built)")
    AgentCase.build = os.path.abspath(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    program = unittest.main(module, argv=sys.argv[:1] + sys.argv[2:], exit=False)
    sys.exit(closing.close(program.result))
