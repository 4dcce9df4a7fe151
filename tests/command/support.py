"""What the tests of the command share: a place with the command and a stub agent, and ways to run it.

The command takes libzlazy.so from beside itself, so a copy of it beside a stub (stub.c) is tested without the
agent. Tests of class AgentTest use the build directory as it is and are skipped when it has no agent.
"""
import os
import pty
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from common import clean_environment, hook_path

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON = os.path.realpath('/usr/bin/python3')


class Place:
    """Paths; filled in by set_up()."""
    build = work = command = None


def set_up(build):
    Place.build = os.path.abspath(build)
    Place.work = tempfile.mkdtemp(prefix='zlazy-test-')
    os.mkdir(Place.work + '/bin')
    Place.command = Place.work + '/bin/zlazy'
    shutil.copy(Place.build + '/zlazy', Place.command)
    subprocess.run([os.environ.get('CC', 'cc'), '-shared', '-fPIC', '-I' + ROOT, ROOT + '/tests/command/stub.c',
                    '-o', Place.work + '/bin/libzlazy.so'], check=True)


def tear_down():
    shutil.rmtree(Place.work, ignore_errors=True)


def read(path):
    with open(path) as source:
        return source.read()


def compile_c(name, text, *flags):
    """A program from C source; returns its path, or skips the test."""
    path = os.path.join(Place.work, name)
    done = subprocess.run([os.environ.get('CC', 'cc'), '-x', 'c', '-', '-o', path, *flags], input=text.encode(),
                          stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        raise unittest.SkipTest('cannot build %s with %s' % (name, ' '.join(flags)))
    return path


class CommandTest(unittest.TestCase):
    """Runs the copy beside the stub, in a directory of its own; the counters' files go to self.runtime."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(dir=Place.work)
        self.runtime = self.directory + '/runtime'
        os.mkdir(self.runtime)
        self.environment = clean_environment(XDG_RUNTIME_DIR=self.runtime)
        self.command = Place.command

    def run_command(self, *words, **more):
        more.setdefault('env', self.environment)
        return subprocess.run([self.command, *words], cwd=self.directory, stdin=subprocess.DEVNULL, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)

    # In a process group of its own: its parent is in another one of the session, so stop signals work there even
    # when the tests themselves run in an orphaned group.
    def start(self, *words, **more):
        more.setdefault('env', self.environment)
        more.setdefault('process_group', 0)
        process = subprocess.Popen([self.command, *words], cwd=self.directory, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **more)
        self.addCleanup(self.finish, process)
        return process

    @staticmethod
    def finish(process):
        if process.poll() is None:
            process.kill()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:   # the program has outlived the command, and holds the pipes
            process.stdout.close()

    def text_of(self, name):
        return read(self.directory + '/' + name)

    def expect_line(self, done, *parts):
        """One line on stderr, with its prefix and these words; nothing on stdout."""
        self.assertEqual(done.stdout, '')
        self.assertRegex(done.stderr, r'\Azlazy: [^\n]+\n\Z')
        for part in parts:
            self.assertIn(part, done.stderr)

    def expect_nothing_left(self):
        self.assertEqual(os.listdir(self.runtime), [])

    def child_of(self, process):
        """Process id of the program under a waiting command."""
        path = '/proc/%d/task/%d/children' % (process.pid, process.pid)
        for _ in range(500):
            children = read(path).split()
            if children:
                return int(children[0])
            time.sleep(0.01)
        self.fail('the command has no child')

    def expect_state(self, pid, letters):
        for _ in range(500):
            state = read('/proc/%d/stat' % pid).rsplit(')', 1)[1].split()[0]
            if state in letters:
                return
            time.sleep(0.01)
        self.fail('process %d is %s, not %s' % (pid, state, letters))


class AgentTest(CommandTest):
    """Needs the finished agent."""

    def setUp(self):
        super().setUp()
        self.command = Place.build + '/zlazy'
        if not os.path.exists(Place.build + '/libzlazy.so'):
            self.skipTest('no libzlazy.so in ' + Place.build)

    @staticmethod
    def example(name):
        return hook_path(Place.build, name)


class Terminal:
    """A command in the foreground of a terminal of its own, as a session leader's child would be."""

    def __init__(self, words, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # The leader: start the command in a group of its own in the foreground, report what becomes of it.
            child = os.fork()
            if child == 0:
                os.setpgid(0, 0)
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)
                os.tcsetpgrp(0, os.getpid())
                signal.signal(signal.SIGTTOU, signal.SIG_DFL)
                os.execve(words[0], words, environment)
            self.lead(child)
        self.text = ''

    @staticmethod
    def lead(child):
        while True:
            _, status = os.waitpid(child, os.WUNTRACED)
            if os.WIFSTOPPED(status):
                os.write(1, b'{stopped %d}' % os.WSTOPSIG(status))
                time.sleep(0.3)
                os.killpg(child, signal.SIGCONT)
            elif os.WIFSIGNALED(status):
                os.write(1, b'{signal %d}' % os.WTERMSIG(status))
                os._exit(0)
            else:
                os.write(1, b'{exit %d}' % os.WEXITSTATUS(status))
                os._exit(0)

    def wait_for(self, word, times=1):
        end = time.time() + 20
        while self.text.count(word) < times:
            if time.time() > end:
                raise AssertionError('no %r in %r' % (word, self.text))
            os.set_blocking(self.fd, False)
            try:
                self.text += os.read(self.fd, 4096).decode(errors='replace')
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                raise AssertionError('no %r in %r' % (word, self.text))

    def type(self, keys):
        os.write(self.fd, keys)

    def close(self):
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
