"""Ending, signals and job control; see test_command.py."""
import os
import signal
import time

from support import PYTHON, CommandTest, Terminal

# A program that prints the signals it gets, one a line, and ends on SIGTERM with 5.
RECORDER = '''
import os, signal, sys
def on(number, frame):
    os.write(1, b"got %d\\n" % number)
    if number == signal.SIGTERM:
        os._exit(5)
for name in "TERM HUP USR1 USR2 INT QUIT CONT WINCH ALRM".split():
    signal.signal(getattr(signal, "SIG" + name), on)
os.write(1, b"ready\\n")
while True:
    signal.pause()
'''


class Ending(CommandTest):
    def test_exit_status(self):
        for options in ([], ['-c'], ['--stats'], ['-c', '--stats']):
            for status in (0, 1, 3, 126, 127, 255):
                with self.subTest(options=options, status=status):
                    done = self.run_command(*options, 'sh', '-c', 'exit %d' % status)
                    self.assertEqual(done.returncode, status)
                    self.expect_nothing_left()

    def test_death_by_signal(self):
        for options in ([], ['-c']):
            for name in ('TERM', 'KILL', 'SEGV', 'ABRT', 'USR1', 'PIPE', 'HUP', 'INT'):
                with self.subTest(options=options, name=name):
                    done = self.run_command(*options, 'sh', '-c', 'kill -%s $$' % name)
                    self.assertEqual(done.returncode, -getattr(signal, 'SIG' + name))
                    self.expect_nothing_left()

    def test_ignored_child_signal(self):
        ready = lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # noqa: E731
        self.assertEqual(self.run_command('-c', 'sh', '-c', 'exit 3', preexec_fn=ready).returncode, 3)

    def test_pipes_are_let_go(self):
        # The reader must see the end when the program closes its output, not when the command ends.
        started = time.time()
        process = self.start('-c', '-o', 'table', 'sh', '-c', 'exec >&- 2>/dev/null; sleep 20')
        self.assertEqual(process.stdout.read(), '')
        self.assertLess(time.time() - started, 10)


class Signals(CommandTest):
    def record(self, *options):
        process = self.start(*options, PYTHON, '-c', RECORDER)
        self.assertEqual(process.stdout.readline(), 'ready\n')
        return process

    def test_passed_on_once(self):
        process = self.record('-c', '-o', 'table')
        for name in ('HUP', 'USR1', 'USR2', 'INT', 'QUIT', 'CONT', 'WINCH', 'ALRM', 'TERM'):
            number = getattr(signal, 'SIG' + name)
            process.send_signal(number)
            self.assertEqual(process.stdout.readline(), 'got %d\n' % number)
        self.assertEqual(process.communicate(timeout=20)[0], '')
        self.assertEqual(process.returncode, 5)
        self.expect_nothing_left()

    def test_terminal_interrupt_is_not_doubled(self):
        terminal = Terminal([self.command, '-c', PYTHON, '-c', RECORDER], self.environment)
        self.addCleanup(terminal.close)
        terminal.wait_for('ready')
        terminal.type(b'\x03')
        terminal.wait_for('got 2')
        time.sleep(0.2)
        terminal.type(b'\x1c')
        terminal.wait_for('got 3')
        self.assertEqual(terminal.text.count('got 2'), 1)

    def test_terminal_stop(self):
        terminal = Terminal([self.command, '-c', PYTHON, '-c', RECORDER], self.environment)
        self.addCleanup(terminal.close)
        terminal.wait_for('ready')
        for times in (1, 2, 3):
            terminal.type(b'\x1a')
            terminal.wait_for('{stopped 20}', times)
            terminal.wait_for('got 18', times)
        terminal.type(b'\x03')
        terminal.wait_for('got 2')
        self.assertEqual((terminal.text.count('got 18'), terminal.text.count('{stopped 20}')), (3, 3))

    def test_program_that_stops_itself(self):
        terminal = Terminal([self.command, '-c', 'sh', '-c', 'kill -STOP $$; echo on; exit 4'], self.environment)
        self.addCleanup(terminal.close)
        terminal.wait_for('{stopped 19}')
        terminal.wait_for('on')
        terminal.wait_for('{exit 4}')

    def test_stop_and_continue_by_process_id(self):
        process = self.record('-c', '-o', 'table')
        child = self.child_of(process)
        process.send_signal(signal.SIGTSTP)
        self.expect_state(child, 'T')
        self.expect_state(process.pid, 'T')
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.stdout.readline(), 'got 18\n')
        self.expect_state(child, 'S')
        self.expect_state(process.pid, 'S')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.communicate(timeout=20)[0], 'got 15\n')
        self.assertEqual(process.returncode, 5)

    def test_program_woken_behind_the_commands_back(self):
        process = self.record('-c', '-o', 'table')
        child = self.child_of(process)
        os.kill(child, signal.SIGSTOP)
        self.expect_state(process.pid, 'T')
        os.kill(child, signal.SIGCONT)
        self.assertEqual(process.stdout.readline(), 'got 18\n')
        self.expect_state(process.pid, 'S')
        os.kill(child, signal.SIGSTOP)
        self.expect_state(process.pid, 'T')
        os.kill(child, signal.SIGKILL)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, -signal.SIGKILL)
