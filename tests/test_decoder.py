#!/usr/bin/python3
"""test_decoder.py BUILD_DIR [test ...] - how the decoder comes into the program, and that it keeps to itself.

  Alone      without hooks it is loaded without ld.so: no second libc, nothing that can be written and executed, nothing
             mapped later; also for a user without privileges
  Linker     with LD_LIBRARY_PATH ld.so finds it, with a libc of its own; with hooks there is one more libc, one decoder
  Twins      hook libraries that define the same names have their own
  Missing    libZydis can't be loaded, or is another: auto runs and says why, zpoline and jump do not

A line for each failure and skip, then "N passed, N failed, N skipped".
"""
import os
import re
import subprocess

from agentcase import PYTHON, AgentCase, in_tactics, main

LOUD, START = {"ZLAZY_QUIET": None}, ("touch", "started")
GETPID, GETPPID = "39", "110"
ZYDIS, LIBC = "libZydis.so", "libc.so"


class DecoderCase(AgentCase):
    def mappings(self, *words, **more):
        """What `cat /proc/self/maps` says: (protection, file) of each mapping of a file."""
        done = self.run_program(*words, "cat", "/proc/self/maps", **more)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return re.findall(r"(?m)^\S+ (\S+) .* (/\S+)$", done.stdout)

    def code_of(self, mappings, name):
        """How many mappings of its code there are."""
        return sum(1 for protection, path in mappings if "x" in protection and os.path.basename(path).startswith(name))

    def expect(self, mappings, decoders, libcs):
        self.assertEqual((self.code_of(mappings, ZYDIS), self.code_of(mappings, LIBC)), (decoders, libcs))
        for protection, path in mappings:
            self.assertFalse("w" in protection and "x" in protection, path)


class Alone(DecoderCase):
    def test_has_no_libc(self):
        self.expect(self.mappings(), 1, 1)

    def test_relocated_data_is_read_only(self):
        kept = [protection for protection, path in self.mappings() if ZYDIS in path]
        self.assertEqual(sorted(kept), ["r--p", "r--p", "r--p", "r-xp", "rw-p"])

    def test_is_used(self):
        done = self.run_program("true", variables={**LOUD, "ZLAZY_DEBUG": "3"})
        self.assertIn(", decoder Zydis;", done.stderr)
        self.assertIn("rewritten: ", done.stderr)

    def test_without_privileges(self):
        without = [self.build + "/tests/without/without", "privileges", "--"]
        done = self.run_program("cat", "/proc/self/maps", before=without, variables={"ZLAZY_TACTIC": "jump"})
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.expect(re.findall(r"(?m)^\S+ (\S+) .* (/\S+)$", done.stdout), 1, 1)

    def test_comes_at_start(self):
        """the maps don't change with the first sites"""
        script = ("import os\n"
                  "look = lambda: [line.split()[0] for line in open('/proc/self/maps') if 'libZydis' in line]\n"
                  "before = look()\n"
                  "os.getppid(); os.getuid(); os.umask(0)\n"
                  "print(before == look() and len(before))")
        done = self.run_program(PYTHON, "-c", script)
        self.assertEqual((done.returncode, done.stdout), (0, "5\n"), done.stderr)


class Linker(DecoderCase):
    def test_library_path(self):
        for path, libcs in ((self.directory, 2), ("", 1)):
            self.expect(self.mappings(variables={"LD_LIBRARY_PATH": path}), 1, libcs)

    def test_hooks(self):
        for path in (None, self.directory):
            variables = {"LD_LIBRARY_PATH": path}
            self.expect(self.mappings(hooks=[self.hook("pass"), self.hook("same")], variables=variables), 1, 2)


class TrapAlone(DecoderCase):
    tactic = "trap"

    def test_has_neither(self):
        self.expect(self.mappings(), 0, 1)

    def test_with_hooks(self):
        self.expect(self.mappings(hooks=[self.hook("pass")]), 0, 2)


class Twins(DecoderCase):
    tactic = "trap"

    def test_names_of_their_own(self):
        hooks = [self.hook("twin_first"), self.hook("twin_second")]
        done = self.run_program(self.build + "/tests/hooked/caller", GETPID, GETPPID, hooks=hooks)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "1001\n1002\n", ""))


class MissingCase(DecoderCase):
    def break_decoder(self, *flags):
        """The variables by which the linker finds another libZydis first."""
        path = self.path("libZydis.so.4.0")
        if flags:
            compiler = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-x", "c", os.devnull, *flags, "-o", path]
            subprocess.run(compiler, check=True)
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write("not a library, but long enough to be looked at as one\n" * 10)
        return {**LOUD, "LD_LIBRARY_PATH": self.directory}


class MissingForced(MissingCase):
    def test_stops(self):
        done = self.run_program(*START, variables=self.break_decoder())
        self.expect_refused(done, f"ZLAZY_TACTIC={self.tactic} needs a decoder: libZydis.so.4.0 can't be loaded: ",
                            "invalid ELF header", "install libzydis4.0", "ZLAZY_TACTIC=auto")

    def test_stops_at_another_library(self):
        done = self.run_program(*START, variables=self.break_decoder("-nostdlib"))
        self.expect_refused(done, "libZydis.so.4.0 can't be loaded: ", "no Zydis 4")


class Missing(MissingCase):
    tactic = "auto"

    def test_says_why(self):
        done = self.run_program("echo", "out", variables=self.break_decoder())
        self.assertEqual((done.returncode, done.stdout), (0, "out\n"))
        self.assertRegex(done.stderr, r"(\A|\n)zlazy: no decoder: libZydis\.so\.4\.0 [^\n]*invalid ELF header"
                                      r"[^\n]*trap path\n\Z")


in_tactics(globals(), Alone, Linker, Twins, MissingForced)

if __name__ == "__main__":
    del DecoderCase, Alone, Linker, MissingCase, MissingForced
    main("__main__")
