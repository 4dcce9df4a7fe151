#!/usr/bin/python3
"""Rewritten calls write no memory that threads share: they run on while all of the agent's is read-only. In zpoline and jump.

tests/hooked/sealer seals what tests/hooked/sealed, warmed up, and its hooks have beside the program's own memory and
the slots of its threads (see both); then four threads make 3.6 million calls. The controls make one call for which
the agent, or its hook, has to write, and must die of it.

    tests/test_sealed.py build [SealedCase.test_...]
"""
import functools
import os
import subprocess
import sys

sys.dont_write_bytecode = True
import agentcase
import common

ROUNDS, THREADS = 300_000, 4
ANSWERED = "4242"   # by examples/fake.c
GATE = "zl_raw_syscall_after"
SYSCALL_SIZE = 2


@functools.lru_cache(None)
def symbols(library):
    """Name: (address, size)."""
    lines = subprocess.run(["nm", "-S", library], capture_output=True, text=True, check=True).stdout.splitlines()
    words = [line.split() for line in lines]
    return {w[-1]: (int(w[0], 16), int(w[1], 16) if len(w) == 4 else 0) for w in words if len(w) >= 3}


class SealedCase(agentcase.AgentCase):
    tactic = "zpoline"

    def run_sealed(self, case, *hooks, pid="0", rounds=ROUNDS):
        library = os.path.join(self.build, "libzlazy.so")
        gate = symbols(library)[GATE][0] - SYSCALL_SIZE
        settings = [f"LD_PRELOAD={library}", f"ZLAZY_TACTIC={self.tactic}", "ZLAZY_QUIET=1"]
        if hooks:
            settings.append("ZLAZY_HOOK=" + ";".join(hooks))
        folder = os.path.join(self.build, "tests/hooked")
        return subprocess.run([os.path.join(folder, "sealer"), hex(gate), library, os.path.join(folder, "sealed"), case,
                               str(rounds), pid, *settings], env=common.clean_environment(), cwd=self.directory,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)

    def expect_goes_on(self, done, rounds=ROUNDS):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{rounds * THREADS} rounds, 0 wrong\n", done.stdout)
        self.assertIn("libzlazy.so", done.stdout)

    def expect_dies(self, done, line):
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"the program (died of signal|ended with status) \d+\n\Z")
        self.assertRegex(done.stderr, line)

    def test_calls_that_no_hook_wants(self):
        self.expect_goes_on(self.run_sealed("calls"))

    def test_calls_that_a_hook_answers(self):
        self.expect_goes_on(self.run_sealed("calls", self.hook("fake"), pid=ANSWERED))

    def test_calls_that_a_hook_passes_on(self):
        self.expect_goes_on(self.run_sealed("calls", self.hook("pass_general")))

    def test_calls_of_a_hook_that_may_use_all_registers(self):
        self.expect_goes_on(self.run_sealed("calls", self.hook("pass")))

    def test_calls_of_two_hooks(self):
        self.expect_goes_on(self.run_sealed("calls", self.hook("pass_general"), self.hook("fake"), pid=ANSWERED))

    def test_everything_shared_is_sealed(self):
        """The agent's counters and its lists of sites and slots are in what is sealed."""
        done = self.run_sealed("calls", rounds=1)
        library = os.path.join(self.build, "libzlazy.so")
        pieces = [line.split()[1].split("-") for line in done.stdout.splitlines() if line.startswith("sealed ")]
        pieces = [(int(start, 16), int(end, 16)) for start, end in pieces]
        own = [line.split() for line in done.stdout.splitlines() if line.startswith("sealed ") and library in line]
        self.assertTrue(own, done.stdout)
        mapped, offset = int(own[0][3].split("-")[0], 16), int(own[0][5], 16)
        for name in ("zl_sites", "zl_sites_seen", "zl_shared", "zl_free_blocks"):
            address, size = symbols(library)[name]
            with self.subTest(name):
                start = mapped + address - self.address_of(library, offset)
                self.assertTrue(any(low <= start and start + size <= high for low, high in self.joined(pieces)), pieces)

    @staticmethod
    def address_of(library, offset):
        """The address, in the file's own terms, of an offset in the file."""
        lines = subprocess.run(["readelf", "-lW", library], capture_output=True, text=True, check=True).stdout
        loads = [line.split() for line in lines.splitlines() if line.split()[:1] == ["LOAD"]]
        return next(int(w[2], 16) - int(w[1], 16) + offset for w in loads if "RW" in w)

    @staticmethod
    def joined(pieces):
        """Neighbours as one."""
        whole = []
        for start, end in sorted(pieces):
            if whole and whole[-1][1] == start:
                whole[-1] = (whole[-1][0], end)
            else:
                whole.append((start, end))
        return whole

    def test_control_a_fresh_site(self):
        self.expect_dies(self.run_sealed("fresh"), r"zlazy: fatal: the agent itself faulted")

    def test_control_a_hook_that_counts(self):
        """Its counters are not the program's memory, nor a slot."""
        self.expect_dies(self.run_sealed("calls", self.hook("count")), r"zlazy: fatal: a hook library faulted")


agentcase.in_tactics(globals(), SealedCase, tactics=("jump",))

if __name__ == "__main__":
    agentcase.main(sys.modules[__name__])
