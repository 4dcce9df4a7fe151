#!/usr/bin/env python3
"""Does the oracle see strays? Canned strace output, and what must be found in it.

- a call from outside the gate after arming: stray; before arming: none
- the gate's last instruction: its address lies at the end of the section, inside; the next byte is outside
- a fork, vfork or thread child is judged from its first call, also when its lines come before the parent's clone returns
- a child whose maker has ended, or called execve, before the child's first call (daemons)
- execve starts an unjudged image; one that never arms is unhooked; a second agent at another address is followed
- execve in a thread goes on under the leader's id
- unfinished and resumed calls, signals, kills, 32-bit calls, restart_syscall
- counts: the agent's own are left out, restarts give a range, handled signals give slack, others are reported
"""
import unittest

from oracle import Gate, Oracle, RESULT

GATE = Gate(0x1000, 0x1100, {0x1010})
START = """\
100 [  59] [00007f0000000001] execve("/bin/x", ["x"], 0x7ffe /* 9 vars */) = 0
100 [ 257] [00007f0000000002] openat(AT_FDCWD, "/b/libzlazy.so", O_RDONLY|O_CLOEXEC) = 3
100 [   0] [00007f0000000003] read(3, "\\177ELF"..., 832) = 832
100 [   9] [00007f0000000004] mmap(NULL, 90000, PROT_READ, MAP_PRIVATE|MAP_DENYWRITE, 3, 0) = 0x7f1000000000
100 [   9] [00007f0000000004] mmap(0x7f1000001000, 9000, PROT_READ|PROT_EXEC, MAP_FIXED, 3, 0x1000) = 0x7f1000001000
100 [   3] [00007f0000000005] close(3) = 0
"""
ARM = """\
100 [ 157] [00007f1000001010] prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0x7f1000001000, 0x101, NULL) = 0
"""
IN, OWN, OUT = "00007f1000001020", "00007f1000001010", "00007f00000000aa"


def judge(text, armed=True, **more):
    return Oracle(GATE, **more).run((START + (ARM if armed else "") + text).splitlines())


class Strays(unittest.TestCase):
    def check(self, oracle, strays, problems=0):
        self.assertEqual(len(oracle.strays), strays, oracle.strays)
        self.assertEqual(len(oracle.problems), problems, oracle.problems)

    def test_clean_run(self):
        oracle = judge(f"100 [ 102] [{IN}] getuid() = 0\n100 [ 231] [{IN}] exit_group(0) = ?\n"
                       "100 [ 231] [????????????????] +++ exited with 0 +++\n")
        self.check(oracle, 0)
        self.assertEqual((oracle.judged, oracle.status, oracle.killed), (2, "exited with 0", 0))

    def test_stray_is_found(self):
        oracle = judge(f"100 [ 102] [{OUT}] getuid() = 0\n")
        self.check(oracle, 1)
        self.assertEqual((oracle.strays[0].pid, oracle.strays[0].ip), (100, OUT))

    def test_before_arming_is_none(self):
        self.check(judge(f"100 [ 102] [{OUT}] getuid() = 0\n", armed=False), 0)

    def test_failed_arming_is_none(self):
        self.check(judge(ARM.replace("= 0", "= -1 EINVAL (Invalid argument)")
                         + f"100 [ 102] [{OUT}] getuid() = 0\n", armed=False), 0)

    def test_bounds(self):
        for address, strays in ((0x1000, 1), (0x1002, 0), (0x1100, 0), (0x1101, 1)):
            self.check(judge(f"100 [ 102] [{0x7f1000000000 + address:016x}] getuid() = 0\n"), strays)

    def test_unfinished_stray(self):
        self.check(judge(f"100 [   0] [{OUT}] read(0,  <unfinished ...>\n"
                         f"100 [   0] [{OUT}] <... read resumed>\"\", 1) = 0\n"), 1)

    def test_signals_and_kill(self):
        oracle = judge(f"100 [   0] [{IN}] --- SIGSEGV {{si_signo=SIGSEGV, si_addr=NULL}} ---\n"
                       "100 [   0] [????????????????] +++ killed by SIGSEGV (core dumped) +++\n")
        self.check(oracle, 0)
        self.assertEqual((oracle.handlers, oracle.killed, oracle.status), (1, 1, "killed by SIGSEGV"))

    def test_restart_syscall(self):
        self.check(judge(f"100 [ 219] [{OUT}] restart_syscall(<... resuming interrupted nanosleep ...>) = 0\n"), 1)

    def test_thirty_two_bit(self):
        oracle = judge(f"100 [  20] [{IN}] [ Process PID=100 runs in 32 bit mode. ]\n"
                       f"100 [  20] [{IN}] getpid() = 100\n100 [  20] [080480aa] getpid() = 100\n"
                       f"100 [   1] [{IN}] [ Process PID=100 runs in 64 bit mode. ]\n")
        self.check(oracle, 1)
        self.assertEqual(oracle.made[512], 1)

    def test_odd_line_is_a_problem(self):
        self.check(judge("what is this\n"), 0, 1)


class Children(unittest.TestCase):
    def strays(self, text):
        oracle = judge(text)
        self.assertEqual(oracle.problems, [])
        return len(oracle.strays)

    def test_fork_child_after(self):
        self.assertEqual(self.strays(f"100 [  57] [{IN}] fork() = 101\n101 [ 102] [{OUT}] getuid() = 0\n"), 1)

    def test_fork_child_before_return(self):
        self.assertEqual(self.strays(f"100 [  58] [{IN}] vfork( <unfinished ...>\n101 [ 102] [{OUT}] getuid() = 0\n"
                                     f"101 [ 102] [{IN}] getuid() = 0\n100 [  58] [{IN}] <... vfork resumed>) = 101\n"), 1)

    def test_thread_by_clone3(self):
        self.assertEqual(self.strays(f"100 [ 435] [{IN}] clone3({{flags=CLONE_VM, stack=0x7f}} => {{parent_tid=[7]}}, 88) "
                                     f"= 101\n101 [ 102] [{OUT}] getuid() = 0\n"), 1)

    def test_parent_killed_in_clone(self):
        self.assertEqual(self.strays(f"100 [  57] [{IN}] fork( <unfinished ...>\n101 [ 102] [{OUT}] getuid() = 0\n"
                                     "100 [  57] [????????????????] +++ killed by SIGKILL +++\n"), 1)

    def test_maker_ends_before_the_first_call(self):
        self.assertEqual(self.strays(f"100 [  57] [{IN}] fork() = 101\n"
                                     f"101 [  57] [{IN}] fork( <unfinished ...>\n"
                                     f"101 [  57] [{IN}] <... fork resumed>) = 102\n"
                                     f"101 [ 231] [{IN}] exit_group(0) = ?\n"
                                     "101 [ 231] [????????????????] +++ exited with 0 +++\n"
                                     f"102 [ 102] [{OUT}] getuid() = 0\n"), 1)

    def test_maker_executes_before_the_first_call(self):
        self.assertEqual(self.strays(f"100 [  57] [{IN}] fork() = 101\n"
                                     f"100 [  59] [{IN}] execve(\"/bin/y\", [], NULL) = 0\n"
                                     f"101 [ 102] [{OUT}] getuid() = 0\n"), 1)

    def test_reused_id(self):
        exited = "101 [ 231] [????????????????] +++ exited with 0 +++\n"
        self.assertEqual(self.strays(f"100 [  57] [{IN}] fork() = 101\n101 [ 231] [{IN}] exit_group(0) = ?\n" + exited
                                     + f"100 [  57] [{IN}] fork() = 101\n101 [ 102] [{OUT}] getuid() = 0\n" + exited), 1)

    def test_exec_unhooked(self):
        oracle = judge(f"100 [  59] [{IN}] execve(\"/bin/static\", [\"s\"], 0x7f /* 1 var */) = 0\n"
                       f"100 [ 102] [{OUT}] getuid() = 0\n")
        self.assertEqual((oracle.strays, oracle.unhooked(), oracle.hooked()), ([], ["/bin/static"], ["/bin/x"]))

    def test_killed_before_it_could_start(self):
        exec_line = f"100 [  59] [{IN}] execve(\"/bin/y\", [\"y\"], NULL) = 0\n"
        killed = "100 [????????????????] +++ killed by SIGTERM +++\n"
        calls = f"100 [ 102] [{OUT}] getuid() = 0\n" * 20
        self.assertEqual(judge(exec_line + killed).unhooked(), [])
        self.assertEqual(judge(exec_line + START.partition("\n")[2] + calls + killed).unhooked(), [])
        self.assertEqual(judge(exec_line + calls + killed).unhooked(), ["/bin/y"])

    def test_failed_exec_goes_on(self):
        self.assertEqual(self.strays(f"100 [  59] [{IN}] execve(\"/none\", [\"s\"], 0x7f /* 1 var */) = -1 ENOENT (No such "
                                     f"file or directory)\n100 [ 102] [{OUT}] getuid() = 0\n"), 1)

    def test_exec_from_outside_is_stray(self):
        self.assertEqual(self.strays(f"100 [  59] [{OUT}] execve(\"/bin/y\", [\"y\"], NULL) = 0\n"), 1)

    def test_second_image_elsewhere(self):
        second = (START + ARM).replace("7f1000", "7f2000")
        self.assertEqual(self.strays(second.replace("[00007f0000000001]", f"[{IN}]", 1)
                                     + "100 [ 102] [00007f2000001020] getuid() = 0\n"
                                     + f"100 [ 102] [{IN}] getuid() = 0\n"), 1)

    def test_exec_from_thread(self):
        oracle = judge(f"100 [  56] [{IN}] clone(child_stack=0x7f, flags=CLONE_VM|CLONE_THREAD) = 101\n"
                       f"101 [  59] [{IN}] execve(\"/bin/y\", [\"y\"], NULL <unfinished ...>\n"
                       "100 [  59] [????????????????] +++ superseded by execve in pid 101 +++\n"
                       "100 [  59] [00007f0000000001] <... execve resumed>) = 0\n"
                       f"100 [ 102] [{OUT}] getuid() = 0\n")
        self.assertEqual((oracle.strays, oracle.unhooked()), ([], ["/bin/y"]))


class Counts(unittest.TestCase):
    def compare(self, text, **hook):
        counters = [0] * 513
        for number, count in hook.items():
            counters[int(number[1:])] = count
        return judge(text).compare(counters)

    def test_equal_without_own(self):
        self.assertEqual(self.compare(f"100 [ 102] [{IN}] getuid() = 0\n100 [ 102] [{OWN}] getuid() = 0\n", n102=1), [])

    def test_difference(self):
        self.assertEqual(self.compare(f"100 [ 102] [{IN}] getuid() = 0\n", n102=2), [(102, 1, 1, 2)])
        self.assertEqual(self.compare(f"100 [ 102] [{IN}] getuid() = 0\n"), [(102, 1, 1, 0)])

    def test_restarted(self):
        text = (f"100 [   0] [{IN}] read(0, 0x7f, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n"
                f"100 [   0] [{IN}] --- SIGCHLD {{si_signo=SIGCHLD}} ---\n100 [   0] [{IN}] read(0, \"x\", 1) = 1\n")
        self.assertEqual(self.compare(text, n0=1), [])
        self.assertEqual(self.compare(text, n0=2), [])
        self.assertEqual(self.compare(text, n0=0), [(0, 1, 2, 0)])
        self.assertEqual(self.compare(text, n0=3), [])  # given up before it was made, once
        self.assertEqual(self.compare(text, n0=4), [(0, 1, 2, 4)])

    def test_unknown_numbers_are_others(self):
        self.assertEqual(self.compare(f"100 [ 600] [{IN}] syscall_0x258(0, 0) = -1 ENOSYS (Function not implemented)\n"
                                      f"100 [4294967295] [{IN}] syscall_0xffffffff(0) = -1 ENOSYS (Function not)\n",
                                      n512=2), [])

    def test_waits_for_the_counters(self):
        text = (f"100 [ 102] [{IN}] getuid() = 0\n100 [ 257] [{IN}] openat(AT_FDCWD, \"/c\", O_RDWR, 0666) = 5\n"
                f"100 [   3] [{IN}] close(5) = 0\n100 [ 102] [{IN}] getuid() = 0\n")
        self.assertEqual(judge(text, counters="/c").made, {102: 1})
        text = text.replace("close(5) =", f"close(5 <unfinished ...>\n100 [   3] [{IN}] <... close resumed>) =")
        self.assertEqual(judge(text, counters="/c").made, {102: 1})

    def test_results(self):
        for line, value in (('write(1, ") = 7", 5) = 5', "5"), ("exit_group(0) = ?", "?"), ("brk(NULL)       = 0x55", "0x55"),
                            ('open("a", O_RDONLY) = -1 ENOENT (No such file or directory)', "-1")):
            self.assertEqual(RESULT.search(line)[1], value)


if __name__ == "__main__":
    unittest.main()
