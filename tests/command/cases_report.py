"""The reports, and the command with the real agent; see test_command.py."""
import os
import re
import shutil
import signal
import subprocess

from common import clean_environment
from support import PYTHON, AgentTest, CommandTest, compile_c


def parse_table(text):
    """The rows of a table as strace prints it: percent, seconds, usecs, calls, errors, name."""
    lines = text.splitlines()
    rows = []
    for line in lines[2:]:
        if line.startswith('---'):
            continue
        found = re.match(r'^ *(\d+\.\d\d) +(\d+\.\d{6}) +(\d+) +(\d+)(?: +(\d+))? +(\S+)$', line)
        assert found, line
        rows.append((float(found[1]), float(found[2]), int(found[3]), int(found[4]), int(found[5] or 0), found[6]))
    return lines[0], lines[1], rows


class Reports(CommandTest):
    def test_table_has_the_columns_of_strace(self):
        self.run_command('-c', '-o', 'table', 'true')
        title, rule, rows = parse_table(self.text_of('table'))
        self.assertEqual(rule, '------ ----------- ----------- --------- --------- ----------------')
        self.assertEqual([row[3:] for row in rows], [(5, 2, 'openat'), (3, 0, 'write'), (1, 0, 'syscall_0x1f4'),
                                                     (1, 0, 'others'), (10, 2, 'total')])
        if subprocess.run(['strace', '-c', '-w', '-o', self.directory + '/strace', 'true']).returncode != 0:
            self.skipTest('strace does not run here')
        other_title, other_rule, _ = parse_table(self.text_of('strace'))
        self.assertEqual((title, rule), (other_title, other_rule))
        for name in ('table', 'strace'):
            for line in self.text_of(name).splitlines():
                for column in re.finditer('-+ ', rule):
                    self.assertEqual(line[column.end() - 1], ' ', line)

    def test_table_adds_up(self):
        self.run_command('-c', '-o', 'table', 'true')
        *rows, total = parse_table(self.text_of('table'))[2]
        self.assertEqual(rows, sorted(rows, key=lambda row: -row[1]))
        self.assertAlmostEqual(sum(row[0] for row in rows), 100, delta=0.05)
        self.assertAlmostEqual(sum(row[1] for row in rows), total[1], delta=0.00001)
        self.assertEqual((total[0], total[5]), (100.0, 'total'))
        for row in rows:
            self.assertAlmostEqual(row[2], row[1] * 1e6 / row[3], delta=1.001)

    def test_seconds_are_calibrated(self):
        # The stub counts 12,500,000 ticks; no x86-64 machine counts slower than 0.5 or faster than 8 GHz.
        self.run_command('-c', '-o', 'table', 'true')
        short = parse_table(self.text_of('table'))[2][-1][1]
        self.assertTrue(12.5e6 / 8e9 < short < 12.5e6 / 0.5e9, short)
        self.run_command('-c', '-o', 'table', 'sleep', '0.5')
        self.assertAlmostEqual(parse_table(self.text_of('table'))[2][-1][1] / short, 1, delta=0.02)

    def test_file_with_standard_descriptors_closed(self):
        for closed in ((0,), (1,), (0, 1), (0, 1, 2), (2,)):
            with self.subTest(closed=closed):
                ready = lambda: [os.close(fd) for fd in closed]  # noqa: E731,B023
                subprocess.run([self.command, '-c', '-o', 'table', 'true'], cwd=self.directory, env=self.environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=ready, check=True)
                self.assertIn(' total', self.text_of('table'))
                os.unlink(self.directory + '/table')

    def test_program_finds_its_descriptors_closed(self):
        done = self.run_command('-c', '-o', 'table', 'sh', '-c', 'ls -l /proc/self/fd | grep -c table; exec true',
                                preexec_fn=lambda: os.close(0))
        self.assertEqual((done.returncode, done.stdout), (0, '0\n'))

    def test_report_that_cannot_be_written(self):
        for status, expected in ((0, 1), (3, 3)):
            done = self.run_command('-c', '-o', '/dev/full', 'sh', '-c', 'exit %d' % status)
            self.assertEqual(done.returncode, expected)
            self.expect_line(done, 'cannot write the report', 'No space left')

    def test_stderr_is_the_default(self):
        done = self.run_command('-c', 'echo', 'out')
        self.assertEqual(done.stdout, 'out\n')
        self.assertTrue(done.stderr.startswith('% time     seconds  usecs/call     calls    errors syscall\n'))

    def test_statistics(self):
        done = self.run_command('--stats', 'true')
        self.assertRegex(done.stderr, r'(?m)^sites rewritten +9$')
        self.assertNotIn('calls hooked', done.stderr)

    def test_traps_are_told_apart(self):
        done = self.run_command('--stats', 'true')
        self.assertRegex(done.stderr, r'(?m)^traps +18\n  first calls of these sites +11\n'
                         r'  at sites not safe to rewrite +4\n  another thread was faster +2\n  not decided yet +1\n')

    def test_site_in_two_entries_is_one_line(self):
        done = self.run_command('--stats', 'true')
        lines = done.stderr.splitlines()[-2:]
        self.assertRegex(lines[0], '^ +traps +sites +bytes.* call +reason +place$')
        self.assertRegex(lines[1], r'^ +6 +2 +\.\. \.\. 00 00 00 00 00 00\[0f 05\]c3 00 \.\. \.\. \.\. \.\. +fcntl +'
                         r'the stack slot below may be in use +/gone/lib\?rary\.so \(deleted\)\+0x1234$')

    def test_list_is_for_statistics_only(self):
        self.assertNotIn('0f 05', self.run_command('-c', 'true').stderr)

    def test_both_in_one_file(self):
        done = self.run_command('-c', '--stats', '-o', 'report', 'true')
        self.assertEqual(done.stderr, '')
        text = self.text_of('report')
        self.assertLess(text.index('total'), text.index('processes'))
        self.assertRegex(text, r'(?m)^calls hooked +10$')

    def test_several_processes_are_added(self):
        self.run_command('-c', '-o', 'table', 'sh', '-c', '/bin/true; /bin/true; exit 0')
        self.assertEqual(parse_table(self.text_of('table'))[2][-1][3], 30)

    def test_nothing_counted_is_said(self):
        static = compile_c('static-again', 'int main(void) { return 0; }', '-static')
        done = self.run_command('-c', '--on-error', 'continue', static)
        self.assertIn('zlazy: nothing was counted', done.stderr)


class Agent(AgentTest):
    """The examples, and the table, with the real agent."""
    PID = [PYTHON, '-c', 'import os; print(os.getpid())']

    def test_fake(self):
        self.assertEqual(self.run_command('--quiet', '--hook', self.example('fake'), *self.PID).stdout, '4242\n')
        self.assertEqual(self.run_command('--quiet', '--hook', self.example('fake') + ':77', *self.PID).stdout, '77\n')

    def test_first_named_is_outermost(self):
        other = self.directory + '/other.so'   # the same file would be loaded once
        shutil.copy(self.example('fake'), other)
        done = self.run_command('--quiet', '--hook', self.example('fake') + ':1', '--hook', other + ':2', *self.PID)
        self.assertEqual(done.stdout, '1\n')

    def test_deny(self):
        open(self.directory + '/file', 'w').close()
        done = self.run_command('--quiet', '--hook', self.example('deny') + ':unlinkat=EPERM,unlink=13', 'rm', 'file')
        self.assertEqual(done.returncode, 1)
        self.assertIn('Operation not permitted', done.stderr)
        self.assertTrue(os.path.exists(self.directory + '/file'))

    def test_count_prints_at_exit(self):
        done = self.run_command('--quiet', '--hook', self.example('count'), '/bin/true')
        self.assertRegex(done.stderr, r'(?m)^zlazy: 231 exit_group 1$')

    def test_count_in_a_file_survives_a_kill(self):
        path = self.directory + '/counters'
        done = self.run_command('--quiet', '--hook', self.example('count') + ':' + path, PYTHON, '-c',
                                'import os, signal\nfor i in range(1000): os.getppid()\nos.kill(os.getpid(), 9)')
        self.assertEqual(done.returncode, -signal.SIGKILL)
        with open(path, 'rb') as source:
            counters = memoryview(source.read()).cast('Q')
        self.assertEqual((len(counters), counters[110], counters[62]), (513, 1000, 1))

    def test_bad_hooks(self):
        with open(self.directory + '/text.so', 'w') as out:
            out.write('not a library\n')
        empty = compile_c('empty.so', 'int x;', '-shared', '-fPIC')
        for hook in (self.directory + '/text.so', empty, 'no-such-library.so', self.example('deny') + ':nothing=EPERM',
                     self.example('deny') + ':unlink=ENOTHING', self.example('fake') + ':x',
                     self.example('count') + ':/missing/file'):
            for options in ([], ['-c'], ['--stats']):
                with self.subTest(hook=hook, options=options):
                    done = self.run_command(*options, '--hook', hook, 'touch', 'started')
                    self.assertEqual(done.returncode, 127)
                    self.assertRegex(done.stderr, r'\A(zlazy: [^\n]+\n)+\Z')
                    self.assertFalse(os.path.exists(self.directory + '/started'))
                    self.expect_nothing_left()

    def test_bad_variables(self):
        for name, value in (('ZLAZY_TACTIC', 'x'), ('ZLAZY_NONSENSE', '1'), ('ZLAZY_ON_ERROR', 'x')):
            with self.subTest(name=name):
                done = self.run_command('touch', 'started', env=clean_environment(**{name: value}))
                self.assertEqual(done.returncode, 127)
                self.expect_line(done, name)
                self.assertFalse(os.path.exists(self.directory + '/started'))

    def test_table_counts_all_processes_and_threads(self):
        script = ('import os, threading\n'
                  'def work():\n    for i in range(500): os.getppid()\n'
                  'threads = [threading.Thread(target=work) for i in range(4)]\n'
                  '[t.start() for t in threads]; [t.join() for t in threads]\n'
                  'if os.fork() == 0:\n    work(); os.kill(os.getpid(), 9)\n'
                  'os.wait()\n')
        done = self.run_command('--quiet', '-c', '--stats', '-o', 'report', PYTHON, '-c', script)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        text = self.text_of('report')
        self.assertRegex(text, r'(?m) 2500 +getppid$')
        self.assertRegex(text, r'(?m)^traps +[1-9]')

    def test_exit_status_with_the_agent(self):
        for tactic in ('auto', 'trap'):
            for options in ([], ['-c', '-o', 'table']):
                words = ['--quiet', '--tactic', tactic, *options, 'sh', '-c']
                self.assertEqual(self.run_command(*words, 'exit 3').returncode, 3)
                self.assertEqual(self.run_command(*words, 'kill -9 $$').returncode, -9)
