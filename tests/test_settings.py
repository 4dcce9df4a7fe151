#!/usr/bin/python3
"""test_settings.py BUILD_DIR [test ...] - what becomes of the agent's settings while the program runs.

  Kept         a program that overwrites its environment, or changes its directory, keeps log, hook and tactic over exec
  Follow       ZLAZY_FOLLOW=0: what the program starts is not hooked, and finds the rest of LD_PRELOAD as it was
  Hooks        what a hook's libc knows of the environment; its log: control characters, ZLAZY_QUIET, threads
  Interrupted  a hook that answers ZLAZY_INTERRUPTED by itself
  Debug        ZLAZY_DEBUG: one line a process image, one a refused site, one a rewritten one; as many as --stats counts
  IoUring      ZLAZY_IO_URING: io_uring_setup answered EPERM, by both ways into the kernel and over exec
  Dumps        what is left out of core dumps
  Refused      one line for a mapping over the agent's memory
  Counts       the time of calls that a signal interrupts

A line for each failure and skip, then "N passed, N failed, N skipped".
"""
import errno
import os
import re
import shutil
import subprocess

import common
from agentcase import PYTHON, AgentCase, in_tactics, main

LOUD = {"ZLAZY_QUIET": None}


class Kept(AgentCase):
    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def test_environment_is_overwritten(self):
        words = (self.build + "/tests/hooked/overwrite", self.build + "/tests/hooked/caller", "39")
        variables = {**LOUD, "ZLAZY_LOG": self.path("log"), "ZLAZY_DEBUG": "1"}
        done = self.run_program(*words, hooks=[self.hook("fake", "7")], variables=variables)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "7\n", ""))
        self.assertRegex(self.read("log"), r"\Azlazy: debug: .*\nzlazy: refused: arch_prctl.*\nzlazy: debug: .*\n\Z")

    def test_relative_hook(self):
        """in the program's environment, in a clean one, and from another directory"""
        shutil.copy(self.hook("fake"), self.path("hook.so"))
        caller = self.build + "/tests/hooked/caller"
        for script in (f"cd /; {caller} 39", f"cd /; exec env -i {caller} 39", f"cd /; exec sh -c '{caller} 39'"):
            for hook in ("./hook.so:7", f"../{os.path.basename(self.directory)}/hook.so:7;{self.hook('pass')}"):
                with self.subTest(script=script, hook=hook):
                    done = self.run_program("sh", "-c", script, hooks=[hook])
                    self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "7\n", ""))

    def test_hook_that_the_program_sets_itself(self):
        """stays, relative or not"""
        shutil.copy(self.hook("fake"), self.path("hook.so"))
        script = f"ZLAZY_HOOK=./hook.so:8 exec {self.build}/tests/hooked/caller 39"
        done = self.run_program("sh", "-c", script, hooks=["./hook.so:7"])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "8\n", ""))

    def test_bare_name_is_the_linkers(self):
        shutil.copy(self.hook("fake"), self.path("hook.so"))
        done = self.run_program("touch", "started", hooks=["hook.so"])
        self.expect_refused(done, "hook hook.so: ", "No such file")
        done = self.run_program("sh", "-c", f"cd /; {self.build}/tests/hooked/caller 39", hooks=["hook.so:7"],
                                variables={"LD_LIBRARY_PATH": self.directory})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "7\n", ""))

    def test_directory_that_has_no_place_in_the_list(self):
        os.mkdir(self.path("a:b"))
        done = self.run_program("touch", "started", before=("env", "-C", self.path("a:b")), hooks=["./hook.so"])
        self.expect_refused(done, "ZLAZY_HOOK=./hook.so", "absolute path")

    def test_environment_of_the_program_is_its_own(self):
        shutil.copy(self.hook("fake"), self.path("hook.so"))
        done = self.run_program("printenv", "ZLAZY_HOOK", hooks=["./hook.so:7"])
        self.assertEqual(done.stdout, "./hook.so:7\n")


class Follow(AgentCase):
    """The outer caller is hooked always: fake answers its getpid with 7."""

    def run_script(self, script, **variables):
        done = self.run_program("bash", "-c", script, hooks=[self.hook("fake", "7")], variables=variables)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_caller_of_exec(self):
        caller = self.build + "/tests/hooked/caller"
        script = f"{caller} 39; exec {caller} 39"   # by fork and exec, and by exec alone
        self.assertEqual(self.run_script(script, ZLAZY_FOLLOW="1"), ["7", "7"])
        answers = self.run_script(script, ZLAZY_FOLLOW="0")
        self.assertEqual(len(answers), 2)
        self.assertNotIn("7", answers)

    def test_process_itself_is_hooked(self):
        program = self.build + "/tests/hooked/caller"
        done = self.run_program(program, "39", "thread:39", hooks=[self.hook("fake", "7")], variables={"ZLAZY_FOLLOW": "0"})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "7\n7\n", ""))

    def test_environment_left(self):
        """printenv fails for what is not there"""
        agent, other = self.build + "/libzlazy.so", self.guest("plugin.so")
        for value, left in ((agent, None), (f"{agent}:{other}", other), (f"{other}:{agent}", other),
                            (f"{other} {agent} {other}", f"{other} {other}"), (other, other), ("", "")):
            with self.subTest(value=value):
                script = f"export LD_PRELOAD='{value}'; exec printenv LD_PRELOAD || true"
                done = self.run_program("bash", "-c", script, variables={"ZLAZY_FOLLOW": "0"})
                self.assertEqual(done.stdout, "" if left is None else left + "\n")
                self.assertEqual((done.returncode, done.stderr), (1 if left is None else 0, ""))
        self.assertEqual(self.run_script("printenv ZLAZY_FOLLOW ZLAZY_TACTIC", ZLAZY_FOLLOW="0"), ["0", self.tactic])
        self.assertEqual(self.run_script("printenv ZLAZY_CHILD || true", ZLAZY_FOLLOW="0"), [])

    def test_large_environment(self):
        script = "for i in {1..3000}; do export V$i=x; done; env | grep -c ^V; printenv LD_PRELOAD || true"
        self.assertEqual(self.run_script(script, ZLAZY_FOLLOW="0"), ["3000"])

    def test_all_is_left_in_order(self):
        native = self.run_program("env", "-i", "A=1", "B=2", "env", variables={"LD_PRELOAD": None})
        script = f"exec env -i A=1 LD_PRELOAD={self.build}/libzlazy.so B=2 env"
        done = self.run_program("sh", "-c", script, variables={"ZLAZY_FOLLOW": "0"})
        self.assertEqual(native.stdout, "A=1\nB=2\n")
        self.assertEqual(done.stdout, f"A=1\nLD_PRELOAD={self.build}/libzlazy.so\nB=2\n")   # env itself is not hooked

    def test_nothing_is_said_of_a_program_that_is_not_hooked_anyway(self):
        shutil.copy("/bin/true", self.path("true"))
        if os.getuid() != 0:
            self.skipTest("not root")
        os.chown(self.path("true"), 65534, 65534)
        os.chmod(self.path("true"), 0o4755)
        for follow, lines in (("0", 0), ("1", 1)):
            done = self.run_program("sh", "-c", "./true; exit 0", variables={**LOUD, "ZLAZY_FOLLOW": follow})
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (0, lines), done.stderr)

    def test_option(self):
        caller = self.build + "/tests/hooked/caller"
        for option, is_hooked in (("--quiet", True), ("--no-follow", False)):
            command = [self.build + "/zlazy", "--quiet", option, "--tactic", self.tactic, "--hook", self.hook("fake", "7"),
                       "sh", "-c", f"{caller} 39"]
            done = subprocess.run(command, env=common.clean_environment(), stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True)
            self.assertEqual((done.returncode, done.stdout == "7\n", done.stderr), (0, is_hooked, ""))


class Hooks(AgentCase):
    def test_environment(self):
        variables = {"MARK": "m", "TZ": "XXX-5"}
        done = self.run_program(self.build + "/tests/hooked/caller", "110", hooks=[self.hook("environment")],
                                variables=variables)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr.splitlines(), [
            "zlazy: start: MARK is m", "zlazy: start: the hour is 5", "child: MARK is m, LD_PRELOAD is not set",
            "zlazy: call: MARK is m"])

    def test_environment_that_is_overwritten(self):
        words = (self.build + "/tests/hooked/overwrite", self.build + "/tests/hooked/caller", "110")
        done = self.run_program(*words, hooks=[self.hook("environment")], variables={"MARK": "m"})
        self.assertEqual([line for line in done.stderr.splitlines() if "start: MARK" in line or "call" in line],
                         ["zlazy: start: MARK is m", "zlazy: start: MARK is not set", "zlazy: call: MARK is not set"])

    def test_log(self):
        for quiet in (None, "1"):
            done = self.run_program("true", hooks=[self.hook("chatty")], variables={"ZLAZY_QUIET": quiet})
            lines = done.stderr.splitlines()
            self.assertEqual(set(lines), {"zlazy: chatty: a line", "zlazy: chatty: two?lines, ?[1mbold"})
            self.assertEqual(len(lines), 8001)

    def test_log_leaves_quiet_alone(self):
        words = (self.build + "/tests/hooked/overwrite", "/bin/true")
        done = self.run_program(*words, hooks=[self.hook("chatty")], variables={"ZLAZY_QUIET": "1"})
        self.assertNotIn("refused", done.stderr)


class Interrupted(AgentCase):
    def caller(self, *words, hooks):
        done = self.run_program(self.build + "/tests/hooked/caller", *words, hooks=hooks)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_without_a_signal(self):
        own, general = self.hook("interrupts"), self.hook("interrupts") + ":general"
        for hooks in ([own], [self.hook("pass"), own], [self.hook("pass_general"), own], [own, self.hook("pass")],
                      [general], [self.hook("pass_general"), general]):
            with self.subTest(hooks=hooks):
                self.assertEqual(self.caller("110", "110", hooks=hooks), [str(-errno.EINTR)] * 2)

    def test_with_a_signal(self):
        own, general = self.hook("interrupts"), self.hook("interrupts") + ":general"
        for hooks in ([own], [self.hook("pass"), own], [self.hook("pass_general"), own], [general]):
            with self.subTest(hooks=hooks):
                self.assertEqual(self.caller("alarm", "102", "alarms", hooks=hooks), [str(os.getuid()), "1"])


class Started(AgentCase):
    def test_what_a_hook_starts_is_not_hooked(self):
        done = self.run_program(self.build + "/tests/hooked/caller", "110", hooks=[self.hook("starter")])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, f"{os.getpid()}\n", ""))


class IoUring(AgentCase):
    def results(self, value):
        caller, call = self.build + "/tests/hooked/caller", "425,1,4294963200"   # a bad pointer
        script = f"{caller} {call} i:{call}; exec env -i {caller} {call}"
        variables = {"LD_PRELOAD": None} if value == "native" else {"ZLAZY_IO_URING": value}
        hooks = [] if value == "native" else [self.hook("pass")]
        done = self.run_program("sh", "-c", script, hooks=hooks, variables=variables)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_denied(self):
        self.assertEqual(self.results("deny"), [str(-errno.EPERM)] * 3)

    def test_allowed(self):
        native = self.results("native")
        self.assertEqual(len(native), 3)
        self.assertEqual(self.results("allow"), native)
        self.assertEqual(self.results(None), native)


class Dumps(AgentCase):
    def test_bitmap_and_counters_are_left_out(self):
        done = self.run_program("cat", "/proc/self/smaps")
        self.assertEqual(done.returncode, 0)
        hidden = re.findall(r"^Size: +(\d+) kB$(?:(?!^Size)[^\0])*?^VmFlags:.* dd", done.stdout, re.M)
        self.assertGreater(sum(map(int, hidden)), 2048)


class Refused(AgentCase):
    def test_one_line_each(self):
        done = self.run_program(self.guest("mem_fixed"), variables=LOUD)
        if done.returncode == 77:
            self.skipTest(done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)
        lines = ["zlazy: refused: a mapping at a fixed address over the agent's memory, answered ENOMEM "
                 "(see docs/LIMITS.md)"]
        self.assertEqual(done.stderr.splitlines(), lines)

    def test_page_zero(self):
        if self.tactic != "zpoline":
            self.skipTest("page zero is not in use")
        call = "9,0,4096,3,50,-1,0"   # mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
        done = self.run_program(self.build + "/tests/hooked/caller", call, call, "102", variables=LOUD)
        self.assertEqual(done.stdout.split(), [str(-errno.EPERM)] * 2 + [str(os.getuid())])
        self.expect_one_line(done, "zlazy: refused: a mapping at address 0, answered EPERM")


class Debug(AgentCase):
    SCRIPT = "ls / | cat; (true); exec /bin/true"

    def run_debug(self, level, *words, **variables):
        command = [self.build + "/zlazy", "--stats", "-o", "report", "--tactic", self.tactic, "--debug", str(level),
                   "--log", "log", *words]
        done = subprocess.run(command, cwd=self.directory, env=common.clean_environment(**variables), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return self.lines("log")

    def lines(self, name):
        if not os.path.exists(self.path(name)):
            return []
        with open(self.path(name), encoding="utf-8") as file:
            return file.read().splitlines()

    def sums(self):
        rows = (re.fullmatch(r"(\S.*?) +(\d+)", line) for line in self.lines("report"))
        return {row[1]: int(row[2]) for row in rows if row}

    @staticmethod
    def count(lines, text):
        return sum(re.match(rf"zlazy: debug: \d+: {text}", line) is not None for line in lines)

    def expect_lines(self, level, lines, images):
        sums = self.sums()
        refused, rewritten = self.count(lines, "refused: "), self.count(lines, "rewritten: ")
        kept = sum(value for name, value in sums.items() if name.startswith("sites kept trapping"))
        self.assertEqual(self.count(lines, r"/\S+: tactic "), images if level > 0 else 0)
        self.assertEqual(refused, kept if level > 1 else 0)
        self.assertEqual(rewritten, sums["sites rewritten"] if level > 2 else 0)
        self.assertEqual((images if level > 0 else 0) + refused + rewritten, sum(line.startswith("zlazy: debug: ") for line in lines))

    def try_levels(self, images, *words):
        for level in (0, 1, 2, 3, 9):
            with self.subTest(level=level, words=words):
                if os.path.exists(self.path("log")):
                    os.unlink(self.path("log"))
                self.expect_lines(level, self.run_debug(level, *words), images)

    def test_lines_are_what_statistics_count(self):
        self.try_levels(4, "bash", "-c", self.SCRIPT)
        self.try_levels(1, self.guest("thr_many"))

    def test_kinds_of_patching(self):
        if self.tactic == "trap":
            self.skipTest("nothing is rewritten here")
        text = "\n".join(self.run_debug(3, self.guest("site_offsets")) + self.run_debug(3, self.guest("thr_many")))
        if self.tactic == "jump":   # which is for code of files
            self.assertRegex(text, r"rewritten: /\S*/libc\.so\.6\+0x[0-9a-f]+, ")
            self.assertNotRegex(text, r"rewritten: 0x[0-9a-f]+, ")
            return
        self.assertRegex(text, r"rewritten: /\S*/libc\.so\.6\+0x[0-9a-f]+, one store, /proc/self/mem")
        self.assertRegex(text, r"rewritten: 0x[0-9a-f]+, ")
        self.assertRegex(text, r"rewritten: .*, two steps, /proc/self/mem")

    def test_site_is_where_objdump_has_it(self):
        call = "refused" if self.tactic == "trap" else "rewritten"
        found = re.search(rf"{call}: (/\S+/libc\.so\.6)\+0x([0-9a-f]+)", "\n".join(self.run_debug(3, "true")))
        address = int(found[2], 16)
        code = subprocess.run(["objdump", "-d", f"--start-address={address}", f"--stop-address={address + 2}", found[1]],
                              capture_output=True, text=True).stdout
        self.assertRegex(code, r"0f 05\s+syscall")

    def test_image_line(self):
        hooks = ("--hook", self.hook("fake"), "--hook", self.hook("pass"))
        line = self.run_debug(1, *hooks, "true")[0]
        self.assertIn(f"; hook {self.hook('fake')}: 1 numbers, general registers; hook {self.hook('pass')}: "
                      "512 numbers and others, all registers kept", line)
        if self.tactic == "zpoline":
            self.assertRegex(line, r"/true: tactic zpoline \(ZLAZY_TACTIC=zpoline\), jump sled, second mapping 0x\w+, decoder Zydis;")
            for sled in ("short", "nop"):
                os.unlink(self.path("log"))
                self.assertIn(f", {sled} sled, second mapping 0x", self.run_debug(1, "true", ZLAZY_SLED=sled)[0])
        elif self.tactic == "jump":
            self.assertRegex(line, r"/true: tactic jump \(ZLAZY_TACTIC=jump\), decoder Zydis;")
        else:
            self.assertRegex(line, r"/true: tactic trap \(ZLAZY_TACTIC=trap\);")

    def test_every_number_in_every_sled(self):
        if self.tactic != "zpoline":
            self.skipTest("there is no sled")
        native = subprocess.run([self.guest("rax_unknown")], capture_output=True, text=True).stdout
        for sled in ("jump", "short", "nop"):
            done = self.run_program(self.guest("rax_unknown"), variables={"ZLAZY_SLED": sled})
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, native, ""))

    def test_quiet_wins(self):
        self.assertEqual(self.run_debug(9, "--quiet", "bash", "-c", self.SCRIPT), [])

    def test_stderr_is_the_default(self):
        done = self.run_program("true", variables={**LOUD, "ZLAZY_DEBUG": "1"})
        self.expect_one_line(done, "zlazy: debug: ", f"/true: tactic {self.tactic}")


class Counts(AgentCase):
    def test_time_of_a_restarted_call(self):
        script = ("import os, signal, time\n"
                  "r, w = os.pipe()\n"
                  "ready_r, ready_w = os.pipe()\n"
                  "if os.fork() == 0:\n    os.read(ready_r, 1); time.sleep(0.5); os.write(w, b'x'); os._exit(0)\n"
                  "signal.signal(signal.SIGALRM, lambda *_: None); signal.siginterrupt(signal.SIGALRM, False)\n"
                  "signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)\nos.write(ready_w, b'x'); os.read(r, 1)\n"
                  "signal.setitimer(signal.ITIMER_REAL, 0)\n")
        done = subprocess.run([self.build + "/zlazy", "--quiet", "--tactic", self.tactic, "-c", "-o", self.path("table"),
                               PYTHON, "-c", script], env=common.clean_environment(), stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0)
        with open(self.path("table"), encoding="utf-8") as file:
            row = re.search(r"^ *[\d.]+ +([\d.]+) .* read$", file.read(), re.M)
        self.assertGreater(float(row[1]), 0.4)


# Again by rewriting, where that is possible.
in_tactics(globals(), Follow, Interrupted, Started, IoUring, Dumps, Refused, Debug, Counts)

if __name__ == "__main__":
    main("__main__")
