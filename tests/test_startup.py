#!/usr/bin/python3
"""test_startup.py BUILD_DIR [test ...] - what the agent says and does when it can't start as it was told to.

  Hooks      missing file, not a library, no init function, another ABI or none, init that fails, wrong fields, an
             undefined symbol, an argument without a library, wrong arguments of the examples, too many hooks
  Variables  unknown ZLAZY_ variable, bad value of each, unknown option of the command
             Both: one line of the agent's (after the hook's own, if it logs one), exit 127, program not started; also
             where the agent has a notice of its own to give (class names in Loud).
  Dispatch   a kernel without Syscall User Dispatch (EINVAL, EPERM): ZLAZY_ON_ERROR decides
  PageZero   no CAP_SYS_RAWIO: auto runs, zpoline does not
  Nobody     no privilege at all: auto and jump run
  Memory     no /proc/self/mem: sites are rewritten all the same, by mprotect
  Barrier    no membarrier: threads are rewritten all the same; BarrierOfJumps: where a jump would need it, not
  Unhooked   exec of a program that does not load the agent: it starts, and is named once
  Notices    once a run, to ZLAZY_LOG, none with ZLAZY_QUIET

Features are taken away by tests/without/without.
"""
import os
import re
import shutil
import struct
import subprocess

import machine
from agentcase import PYTHON, AgentCase, in_tactics, main

LOUD, START = {"ZLAZY_QUIET": None}, ("touch", "started")


class Hooks(AgentCase):
    def expect_hook_refused(self, setting, *parts, own_lines=0):
        for policy in (None, "continue"):   # bad input stops the program, whatever the policy
            with self.subTest(hook=setting, policy=policy):
                done = self.run_program(*START, hooks=[setting], variables={"ZLAZY_ON_ERROR": policy})
                self.expect_refused(done, *parts, own_lines=own_lines)

    def test_missing_file(self):
        self.expect_hook_refused("/missing/hook.so", "/missing/hook.so: cannot open", "No such file", "ZLAZY_HOOK")
        self.expect_hook_refused("no-such-hook.so:argument", "no-such-hook.so", "No such file")

    def test_path_is_named_once(self):
        for setting in ("/missing/hook.so", self.hook("bad_undefined")):
            done = self.run_program(*START, hooks=[setting])
            self.assertEqual(done.stderr.count(setting), 1, done.stderr)

    def test_argument_without_a_library(self):
        self.expect_hook_refused(":x", "ZLAZY_HOOK=:x", "without a library")
        self.expect_hook_refused(self.hook("pass") + ";:x", "without a library")

    def test_not_a_library(self):
        with open(self.path("text.so"), "w", encoding="utf-8") as file:
            file.write("not a library, but long enough to be looked at as one\n" * 10)
        self.expect_hook_refused(self.path("text.so"), "text.so", "invalid ELF header")
        self.expect_hook_refused(self.directory, self.directory)
        os.close(os.open(self.path("empty.so"), os.O_CREAT | os.O_WRONLY))
        self.expect_hook_refused(self.path("empty.so"), "empty.so", "too short")

    def test_no_init_function(self):
        self.expect_hook_refused(self.hook("bad_no_init"), "bad_no_init.so", "zlazy_hook_init()", "zlazy.h")

    def test_another_abi(self):
        self.expect_hook_refused(self.hook("bad_abi"), "bad_abi.so: built for ABI 2, this agent has 1; rebuild it with")
        self.expect_hook_refused(self.hook("bad_no_abi"), "bad_no_abi.so: built for ABI unknown", "zlazy_hook_abi",
                                 "this agent has 1")

    def test_init_fails(self):
        self.expect_hook_refused(self.hook("bad_init_fails"), "bad_init_fails.so: its zlazy_hook_init() answered -1 (EPERM)",
                                 "argument")

    def test_wrong_fields(self):
        self.expect_hook_refused(self.hook("bad_no_on_call"), "bad_no_on_call.so: ", "set no on_call")
        self.expect_hook_refused(self.hook("bad_fields", "size"), "bad_fields.so: ", "`size`", "read-only")
        self.expect_hook_refused(self.hook("bad_fields", "registers"), "bad_fields.so: ", "`registers`")

    def test_undefined_symbol(self):
        self.expect_hook_refused(self.hook("bad_undefined"), "zlazy_test_nobody_defines_this")

    def test_second_of_two(self):
        self.expect_hook_refused(self.hook("pass") + ";/missing/hook.so", "/missing/hook.so")

    def test_wrong_arguments_of_the_examples(self):
        for name, argument, word in (("deny", "nothing=EPERM", "unknown system call"), ("deny", "unlink", "unlink"),
                                     ("deny", "unlink=ENOTHING", "unknown error"), ("deny", "unlink=0", "unknown error"),
                                     ("fake", "x", "not a process id"), ("fake", "-1", "not a process id"),
                                     ("count", "/missing/file", "cannot map"), ("clock", "shift", "clock.so:shift"),
                                     ("clock", "shift=1x", "SECONDS"), ("clock", "scale=0", "FACTOR"),
                                     ("clock", "scale=2 ", "FACTOR")):
            self.expect_hook_refused(self.hook(name, argument), word, f"{name}.so", own_lines=1)

    def test_too_many(self):
        self.expect_hook_refused(";".join([self.hook("pass")] * 17), "too many", "16")

    def test_list_too_long(self):
        self.expect_hook_refused(self.hook("pass", "x" * 9000), "ZLAZY_HOOK", "8191")


class Variables(AgentCase):
    BAD = (("ZLAZY_NONSENSE", "1", "no such variable"), ("ZLAZY_", "1", "no such variable"),
           ("ZLAZY_HOOKS", "x", "no such variable"), ("ZLAZY_TACTIC", "fast", "auto, zpoline, jump or trap"),
           ("ZLAZY_TACTIC", "", "auto, zpoline, jump or trap"), ("ZLAZY_TACTIC", "trap ", "auto, zpoline, jump or trap"),
           ("ZLAZY_ON_ERROR", "panic", "stop or continue"), ("ZLAZY_LOG", "", "name of a file"),
           ("ZLAZY_QUIET", "yes", "0 or 1"), ("ZLAZY_QUIET", "", "0 or 1"), ("ZLAZY_DEBUG", "10", "0 to 9"),
           ("ZLAZY_DEBUG", "much", "0 to 9"), ("ZLAZY_DEBUG", "-1", "0 to 9"), ("ZLAZY_SLED", "long", "jump, short or nop"),
           ("ZLAZY_FOLLOW", "no", "0 or 1"), ("ZLAZY_FOLLOW", "", "0 or 1"), ("ZLAZY_RETURN", "fly", "auto, ret or jump"),
           ("ZLAZY_IO_URING", "no", "allow or deny"), ("ZLAZY_VDSO", "on", "off or hook"),
           ("ZLAZY_JIT", "off", "auto, patch or trap"), ("ZLAZY_JIT", "", "auto, patch or trap"),
           ("ZLAZY_CHILD", "2", "ZLAZY_CHILD"), ("ZLAZY_STATS", "/dev/null", "ZLAZY_STATS"),
           ("ZLAZY_STATS", "/missing/file", "ZLAZY_STATS", "ENOENT"), ("ZLAZY_NONSENSE", "1", "zlazy(1)"),
           ("ZLAZY_LOG", "/missing/log", "ENOENT"), ("ZLAZY_LOG", "/", "EISDIR"))

    def test_bad_value(self):
        for name, value, *parts in self.BAD:
            with self.subTest(name=name, value=value):
                self.expect_refused(self.run_program(*START, variables={name: value}), name, *parts)

    def test_long_value_is_still_one_line_with_its_reason(self):
        for size, why in ((5000, "use auto, zpoline, jump or trap"), (70000, "too long; shorten")):
            done = self.run_program(*START, variables={"ZLAZY_TACTIC": "x" * size})
            self.expect_refused(done, "ZLAZY_TACTIC=xxx", why)

    def test_file_that_is_no_counters_file(self):
        with open(self.path("file"), "wb") as file:
            file.truncate(10000000)
        self.expect_refused(self.run_program(*START, variables={"ZLAZY_STATS": self.path("file")}), "ZLAZY_STATS")

    def test_short_counters_file(self):
        for size in (0, 10, 5000):
            with self.subTest(size=size):
                with open(self.path("file"), "wb") as file:
                    file.truncate(size)
                self.expect_refused(self.run_program(*START, variables={"ZLAZY_STATS": self.path("file")}), "ZLAZY_STATS")

    def test_unknown_option_of_the_command(self):
        command = [self.build + "/zlazy", "--nonsense", *START]
        done = subprocess.run(command, cwd=self.directory, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 127)
        self.expect_one_line(done, "--nonsense", "--help")
        self.assertFalse(os.path.exists(self.path("started")))


class WithoutCase(AgentCase):
    def run_without(self, feature, *words, **more):
        launcher = [self.build + "/tests/without/without", feature, "--"]
        done = self.run_program(*words, before=launcher, **{"variables": LOUD, **more})
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        return done


class LoudCase(WithoutCase):
    """Where the agent has something to say of page zero."""
    tactic = "auto"

    def run_program(self, *words, variables=None, before=(), **more):
        if before:
            return super().run_program(*words, variables=variables, before=before, **more)
        return self.run_without("page-zero", *words, variables={**LOUD, **(variables or {})}, **more)


class HooksLoud(LoudCase, Hooks):
    pass


class VariablesLoud(LoudCase, Variables):
    pass


class Dispatch(WithoutCase):
    FEATURES = (("sud", "EINVAL", "Linux 5.11"), ("sud-eperm", "EPERM", "sandbox"))

    def test_stop(self):
        for feature, *parts in self.FEATURES:
            for policy in (None, "stop"):
                with self.subTest(feature=feature, policy=policy):
                    done = self.run_without(feature, *START, variables={**LOUD, "ZLAZY_ON_ERROR": policy})
                    self.expect_refused(done, "Syscall User Dispatch", *parts)

    def test_continue(self):
        for feature, *parts in self.FEATURES:
            with self.subTest(feature=feature):
                done = self.run_without(feature, "sh", "-c", "echo out; exit 3", hooks=[self.hook("fake")],
                                        variables={**LOUD, "ZLAZY_ON_ERROR": "continue"})
                self.assertEqual((done.returncode, done.stdout), (3, "out\n"))
                self.expect_one_line(done, "Syscall User Dispatch", "unhooked", *parts)

    def test_continue_is_unhooked(self):
        done = self.run_without("sud", self.build + "/tests/hooked/caller", "39", hooks=[self.hook("fake", "7")],
                                variables={"ZLAZY_ON_ERROR": "continue"})
        self.assertNotEqual(done.stdout, "7\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_continue_says_it_once_a_run(self):
        done = self.run_without("sud", "bash", "-c", "true; /bin/true; exit 3",
                                variables={**LOUD, "ZLAZY_ON_ERROR": "continue"})
        self.assertEqual(done.returncode, 3)
        self.expect_one_line(done, "unhooked")

    def test_no_debris_when_it_continues(self):
        script = "grep -c libzlazy /proc/self/maps >/dev/null; grep -E 'Sig(Blk|Cgt)' /proc/self/status"
        native = self.run_program("sh", "-c", script, variables={"LD_PRELOAD": None})
        done = self.run_without("sud", "sh", "-c", script, variables={"ZLAZY_ON_ERROR": "continue"})
        self.assertEqual(done.stdout, native.stdout)


class PageZero(WithoutCase):
    tactic = "auto"

    def test_auto_jumps_and_says_why(self):
        done = self.run_without("page-zero", self.build + "/tests/hooked/caller", "39", hooks=[self.hook("fake", "7")])
        self.assertEqual((done.returncode, done.stdout), (0, "7\n"))
        self.expect_one_line(done, "page zero is not used", "CAP_SYS_RAWIO", "mmap_min_addr", "jumps instead")

    def test_zpoline_stops(self):
        done = self.run_without("page-zero", *START, variables={**LOUD, "ZLAZY_TACTIC": "zpoline"})
        self.expect_refused(done, "CAP_SYS_RAWIO", "mmap_min_addr", "use ZLAZY_TACTIC=auto")

    def test_later_programs_jump(self):
        if machine.why_no_zpoline():
            self.skipTest(machine.why_no_zpoline())
        command = f"{self.build}/tests/without/without page-zero -- {self.build}/tests/hooked/caller 39"
        done = self.run_program("sh", "-c", command, hooks=[self.hook("fake", "7")],
                                variables={**LOUD, "ZLAZY_TACTIC": "zpoline"})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "7\n", ""))

    def test_zpoline_stops_whatever_the_policy(self):
        done = self.run_without("page-zero", *START, variables={"ZLAZY_TACTIC": "zpoline", "ZLAZY_ON_ERROR": "continue"})
        self.expect_refused(done, "page zero")

    def test_nothing_is_said_where_it_is_not_wanted(self):
        for tactic in ("trap", "jump"):
            done = self.run_without("page-zero", "echo", "out", variables={**LOUD, "ZLAZY_TACTIC": tactic})
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "out\n", ""))

    def test_is_away(self):
        done = self.run_without("page-zero", PYTHON, "-c", machine.PAGE_ZERO, variables={"LD_PRELOAD": None})
        self.assertIn("ermi", done.stdout)   # EPERM; of SELinux, EACCES

    def test_jump_never_maps_it(self):
        """With every privilege there is."""
        done = self.run_program(PYTHON, "-c", machine.PAGE_ZERO, variables={"ZLAZY_TACTIC": "jump"})
        self.assertEqual((done.returncode, done.stdout.strip()), (0, machine.ask(machine.PAGE_ZERO)))
        maps = self.run_program("cat", "/proc/self/maps", variables={"ZLAZY_TACTIC": "jump"}).stdout
        self.assertNotRegex(maps, r"(?m)^0+-")

    def test_zpoline_in_use(self):
        """a page zero that is there already: the agent of this very machine, or none"""
        if machine.why_no_zpoline():
            self.skipTest(machine.why_no_zpoline())
        done = self.run_program("echo", "out", variables={**LOUD, "ZLAZY_TACTIC": "zpoline"})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "out\n", ""))


class Nobody(WithoutCase):
    """As an ordinary user's process: no capability, none to be got, page zero refused."""
    tactic = "auto"

    def run_nobody(self, *words, hooks=(), **variables):
        os.chmod(self.directory, 0o755)
        for path in ("libzlazy.so", "examples/fake.so", "tests/without/without", "tests/hooked/caller"):
            shutil.copy(os.path.join(self.build, path), self.directory)   # he may not see the build
        without = self.path("without")
        settings = {"LD_PRELOAD": self.path("libzlazy.so"), **LOUD, **variables}
        done = self.run_program(*words, before=[without, "privileges", "--", without, "page-zero", "--"], hooks=hooks,
                                variables=settings)
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        return done

    def test_has_no_privilege(self):
        text = self.run_nobody("cat", "/proc/self/status", LD_PRELOAD=None).stdout
        self.assertEqual(set(re.findall(r"(?m)^Cap\w+:\s(\w+)$", text)), {"0" * 16})
        self.assertRegex(text, r"(?m)^NoNewPrivs:\s1$")
        if os.geteuid() == 0:
            self.assertEqual(re.findall(r"(?m)^[UG]id:\s+(.*)$", text), ["\t".join(["65534"] * 4)] * 2)

    def test_page_zero_is_away(self):
        self.assertIn("ermi", self.run_nobody(PYTHON, "-c", machine.PAGE_ZERO, LD_PRELOAD=None).stdout)

    def test_auto_says_why(self):
        done = self.run_nobody(self.path("caller"), "39", hooks=[self.path("fake.so:7")])
        self.assertEqual((done.returncode, done.stdout), (0, "7\n"))
        self.expect_one_line(done, "page zero is not used", "jumps instead")

    def test_jump_says_nothing(self):
        done = self.run_nobody(self.path("caller"), "39", hooks=[self.path("fake.so:7")], ZLAZY_TACTIC="jump")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "7\n", ""))


class Barrier(WithoutCase):
    tactic = "zpoline"
    guests = ("jit_threads", "thr_many", "site_offsets")

    def test_threads_are_rewritten(self):
        for name in self.guests:
            with self.subTest(name=name):
                native = self.run_program(self.guest(name), variables={"LD_PRELOAD": None})
                done = self.run_without("membarrier", self.guest(name))
                self.assertEqual((done.returncode, done.stdout, done.stderr), (native.returncode, native.stdout, ""))


class BarrierOfJumps(Barrier):
    tactic = "jump"
    guests = ("jump_across_word", "jump_offsets_threads", "jump_flicker")


class Memory(WithoutCase):
    tactic = "zpoline"

    def test_launcher_ends_as_the_command(self):
        for script, status in (("exit 3", 3), ("kill -TERM $$", -15)):
            done = self.run_without("proc-mem", "sh", "-c", script, variables={"LD_PRELOAD": None})
            self.assertEqual((done.returncode, done.stdout, done.stderr), (status, "", ""))

    def test_is_away(self):
        done = self.run_without("proc-mem", "sh", "-c", ": </proc/self/mem", variables={"LD_PRELOAD": None})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ermission denied", done.stderr)

    def test_rewritten_by_mprotect(self):
        done = self.run_without("proc-mem", self.guest("thr_many"), variables={**LOUD, "ZLAZY_DEBUG": "3"})
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "rewritten: .*, mprotect")
        self.assertNotIn(", /proc/self/mem", done.stderr)

    def test_guests(self):
        for name in ("jit_threads", "thr_many", "site_offsets", "proc_fork", "plugin_dlopen"):
            with self.subTest(name=name):
                native = self.run_program(self.guest(name), variables={"LD_PRELOAD": None})
                done = self.run_without("proc-mem", self.guest(name))
                self.assertEqual((done.returncode, done.stdout, done.stderr), (native.returncode, native.stdout, ""))


class Notices(WithoutCase):
    tactic = "auto"
    WORDS = ("bash", "-c", "true; /bin/true; exec /bin/true")

    def test_once_a_run(self):
        done = self.run_without("page-zero", *self.WORDS)
        self.assertEqual(done.returncode, 0)
        self.expect_one_line(done, "page zero is not used")

    def test_log_file(self):
        done = self.run_without("page-zero", *self.WORDS, variables={**LOUD, "ZLAZY_LOG": self.path("log")})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(self.path("log"), encoding="utf-8") as file:
            self.assertRegex(file.read(), r"\Azlazy: page zero is not used[^\n]+\n\Z")

    def test_log_file_is_relative_to_the_start(self):
        script = "cd /; /bin/true; ls -d / >/dev/null"
        done = self.run_without("page-zero", "bash", "-c", script, variables={"ZLAZY_DEBUG": "1", **LOUD, "ZLAZY_LOG": "log"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(os.listdir(self.directory), ["log"])
        with open(self.path("log"), encoding="utf-8") as file:
            self.assertEqual(file.read().count("zlazy: debug: "), 3)

    def test_quiet(self):
        done = self.run_without("page-zero", *self.WORDS, variables={"ZLAZY_QUIET": "1"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_quiet_keeps_errors(self):
        done = self.run_program(*START, variables={"ZLAZY_QUIET": "1", "ZLAZY_TACTIC": "x"})
        self.expect_refused(done)

    def test_error_goes_to_both(self):
        done = self.run_program(*START, variables={"ZLAZY_LOG": self.path("log"), "ZLAZY_SLED": "x"})
        self.expect_refused(done, "ZLAZY_SLED")
        with open(self.path("log"), encoding="utf-8") as file:
            self.assertEqual(file.read(), done.stderr)

    def test_log_that_cannot_be_written_later(self):
        """children fall back to stderr"""
        os.mkdir(self.path("logs"))
        script = "rm -r logs; exec env ZLAZY_DEBUG=1 true"
        done = self.run_without("page-zero", "sh", "-c", script, variables={**LOUD, "ZLAZY_LOG": "logs/log"})
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.expect_one_line(done, "zlazy: debug: ", "/true: tactic jump (ZLAZY_TACTIC=auto)")

    def test_full_log(self):
        done = self.run_without("page-zero", "echo", "out", variables={**LOUD, "ZLAZY_LOG": "/dev/full"})
        self.assertEqual((done.returncode, done.stdout), (0, "out\n"))
        self.expect_one_line(done, "page zero is not used")

    def test_log_into_a_pipe_that_nobody_reads(self):
        os.mkfifo(self.path("fifo"))
        done = self.run_without("page-zero", *START, variables={**LOUD, "ZLAZY_LOG": "fifo"})
        self.expect_refused(done, "ZLAZY_LOG=", "/fifo: ENXIO")

    def test_log_takes_no_descriptor(self):
        script = "ls /proc/self/fd"
        plain = self.run_program("sh", "-c", script)
        logged = self.run_program("sh", "-c", script, variables={"ZLAZY_LOG": "log"})
        self.assertEqual(logged.stdout, plain.stdout)


class Unhooked(AgentCase):
    LOUD_TRAP = {"ZLAZY_QUIET": None}

    def make_static(self):
        code = b"\xbf\x03\0\0\0\xb8\x3c\0\0\0\x0f\x05"   # exit(3)
        header = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 2, 62, 1, 0x400078, 64, 0, 0, 64, 56, 1,
                             0, 0, 0)
        part = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 0x200, 0x200, 0x1000)
        self.make("static", header + part + code)

    def make(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        os.chmod(self.path(name), 0o755)

    def run_script(self, script, **variables):
        return self.run_program("bash", "-c", script, variables={**self.LOUD_TRAP, **variables})

    def test_static_program(self):
        self.make_static()
        done = self.run_script("./static; ./static; (exec ./static); echo $?")
        self.assertEqual((done.returncode, done.stdout), (0, "3\n"))
        self.expect_one_line(done, "./static: runs unhooked: it is statically linked")

    def test_once_also_with_clean_environments(self):
        self.make_static()
        done = self.run_script("./static; env -i ./static; env -i ./static")
        self.expect_one_line(done, "./static: runs unhooked: it is statically linked")

    def test_script_of_a_static_interpreter(self):
        self.make_static()
        self.make("script", f"#!{self.path('static')}\n".encode())
        done = self.run_script("./script; echo $?")
        self.assertEqual((done.returncode, done.stdout), (0, "3\n"))
        self.expect_one_line(done, "./script: runs unhooked: it is statically linked")

    def test_32_bit_program(self):
        code = b"\xb8\x01\0\0\0\xbb\x03\0\0\0\xcd\x80"   # exit(3)
        header = struct.pack("<4s5B7xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 0, 0, 2, 3, 1, 0x8048054, 52, 0, 0, 52, 32, 1,
                             0, 0, 0)
        part = struct.pack("<IIIIIIII", 1, 0, 0x8048000, 0x8048000, 0x200, 0x200, 5, 0x1000)
        self.make("small", header + part + code)
        if subprocess.run(["sh", "-c", "./small"], cwd=self.directory, capture_output=True).returncode != 3:
            self.skipTest("the kernel runs no 32-bit programs")
        done = self.run_script("./small; echo $?; (exec env -i ./small); exec ./small")
        self.assertEqual((done.returncode, done.stdout), (3, "3\n"))
        self.expect_one_line(done, "./small: runs unhooked: it is not a 64-bit x86 program")

    def test_set_user_id(self):
        if os.getuid() != 0:
            self.skipTest("not root")
        shutil.copy("/bin/true", self.path("true"))
        os.chown(self.path("true"), 65534, 65534)
        os.chmod(self.path("true"), 0o4755)
        self.expect_one_line(self.run_script("./true; exec ./true"), "./true: runs unhooked: it is set-user-ID")

    def test_nothing_is_said_otherwise(self):
        self.make_static()
        self.make("script", b"#!/bin/sh\nexit 3\n")
        script = "./script; /bin/true; /lib64/ld-linux-x86-64.so.2 /bin/true; ./missing 2>/dev/null; exec sh -c ./static"
        done = self.run_script(script)   # only the first program of a run speaks
        self.assertEqual((done.returncode, done.stderr), (3, ""))
        self.assertEqual(self.run_script("./static", ZLAZY_QUIET="1").stderr, "")


in_tactics(globals(), Barrier, Memory, tactics=("jump",))

if __name__ == "__main__":
    del WithoutCase, LoudCase
    main("__main__")
