"""Options, bad input, targets, environment; see test_command.py."""
import os
import resource
import signal
import subprocess
import tempfile

from support import CommandTest, Place, compile_c


class Options(CommandTest):
    def test_help(self):
        done = self.run_command('--help')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        for option in ('--hook', '--tactic', '--log', '--quiet', '--debug', '--on-error', '-c', '-o', '--stats'):
            self.assertIn(option, done.stdout)

    def test_version(self):
        done = self.run_command('--version')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertRegex(done.stdout, r'^zlazy \d+\.\d+')

    def test_program_options_are_its_own(self):
        for words in (['echo', '-c', '--help'], ['--', 'echo', '-c', '--help'], ['-c', 'echo', '-c', '--help']):
            with self.subTest(words=words):
                self.assertEqual(self.run_command(*words).stdout, '-c --help\n')

    def test_second_dashes_go_to_the_program(self):
        self.assertEqual(self.run_command('--', 'printf', '%s\n', '--', 'x').stdout, '--\nx\n')


class BadInput(CommandTest):
    CASES = [
        ([], 'no program', '--help'),
        (['-c'], 'no program'),
        (['-x'], "'-x'", '--help'),
        (['-cx'], "'-x'", '--help'),
        (['--nonsense'], "'--nonsense'", '--help'),
        (['--nonsense=1'], "'--nonsense=1'", '--help'),
        (['--quiet=1'], 'takes no value'),
        (['--tactic', 'fast'], "'fast'", 'auto, zpoline, jump or trap'),
        (['--tactic', ''], "''", 'auto, zpoline, jump or trap'),
        (['--on-error', 'panic'], "'panic'", 'stop or continue'),
        (['--debug', 'much'], "'much'", '0 to 9'),
        (['--debug', '10'], "'10'", '0 to 9'),
        (['--debug', '-1'], "'-1'", '0 to 9'),
        (['--hook', './missing.so'], 'missing.so', 'No such file', 'check the path'),
        (['--hook', '/missing.so:argument'], '/missing.so', 'No such file'),
        (['--hook', ''], 'names no library'),
        (['--hook', ':argument'], 'names no library'),
        (['--hook', 'a.so;b.so'], "';'", '--hook'),
        (['--log', '/missing/log'], '/missing/log', 'No such file', '--log'),
        (['--log', './fifo'], './fifo', 'No such device', '--log'),
        (['-c', '-o', '/missing/table'], '/missing/table', 'No such file', '-o'),
        (['-o', 'table'], 'add -c or --stats'),
        (['--hook', './two\nlines.so'], 'two?lines'),
    ]

    def test_one_line_and_127(self):
        os.mkfifo(self.directory + '/fifo')
        for words, *parts in self.CASES:
            with self.subTest(words=words):
                more = ['touch', 'started'] if parts[0] != 'no program' else []
                done = self.run_command(*words, *more)
                self.assertEqual(done.returncode, 127)
                self.expect_line(done, *parts)
                self.assertFalse(os.path.exists(self.directory + '/started'))
                self.expect_nothing_left()

    def test_option_without_value(self):
        for option in ('--hook', '--tactic', '--log', '--debug', '--on-error', '-o'):
            with self.subTest(option=option):
                done = self.run_command(option)
                self.assertEqual(done.returncode, 127)
                self.expect_line(done, "'%s' needs a value" % option)

    def test_no_place_for_counters(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # noqa: E731
        done = self.run_command('-c', 'touch', 'started', preexec_fn=limit)
        self.assertEqual(done.returncode, 127)
        self.expect_line(done, 'counters', 'TMPDIR')
        self.assertFalse(os.path.exists(self.directory + '/started'))
        self.expect_nothing_left()

    def test_soft_limits_are_the_programs(self):
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # noqa: E731
        done = self.run_command('-c', 'sh', '-c', 'ulimit -f', preexec_fn=limit)
        self.assertEqual((done.returncode, done.stdout), (0, '8\n'))

    def test_counters_go_to_the_next_place(self):
        self.environment.update(XDG_RUNTIME_DIR='/missing', TMPDIR=self.runtime)
        self.assertEqual(self.run_command('-c', 'true').returncode, 0)
        self.expect_nothing_left()

    def test_library_in_a_directory_with_a_space(self):
        odd = self.directory + '/a b'
        os.mkdir(odd)
        for name in ('zlazy', 'libzlazy.so'):
            os.link(Place.work + '/bin/' + name, odd + '/' + name)
        self.command = odd + '/zlazy'
        done = self.run_command('touch', 'started')
        self.assertEqual(done.returncode, 127)
        self.expect_line(done, 'LD_PRELOAD')

    def test_library_of_another_prefix(self):
        for place in ('lib', 'lib/x86_64-linux-gnu', 'lib64'):
            with self.subTest(place=place):
                prefix = tempfile.mkdtemp(dir=self.directory)
                os.makedirs(prefix + '/bin')
                os.makedirs(prefix + '/' + place)
                os.link(Place.command, prefix + '/bin/zlazy')
                os.link(Place.work + '/bin/libzlazy.so', prefix + '/' + place + '/libzlazy.so')
                self.command = prefix + '/bin/zlazy'
                done = self.run_command('printenv', 'LD_PRELOAD')
                self.assertEqual(done.stdout, os.path.realpath(prefix) + '/' + place + '/libzlazy.so\n')

    def test_no_library(self):
        os.link(Place.command, self.directory + '/zlazy')
        self.command = self.directory + '/zlazy'
        if self.run_command('true').returncode == 0:
            self.skipTest('an installed libzlazy.so was found')
        self.expect_line(self.run_command('true'), 'libzlazy.so')


class Targets(CommandTest):
    def expect_refused(self, program, status, *parts):
        for options in ([], ['-c'], ['--stats']):
            done = self.run_command(*options, program)
            self.assertEqual(done.returncode, status)
            self.expect_line(done, *parts)
            self.expect_nothing_left()

    def test_not_found(self):
        self.expect_refused('no-such-program', 127, "cannot run 'no-such-program': No such file or directory")
        self.expect_refused('./no-such-program', 127, 'No such file or directory')

    def test_not_executable(self):
        open(self.directory + '/file', 'w').close()
        self.expect_refused('./file', 126, "cannot run './file': Permission denied")
        self.expect_refused('/etc', 126, 'Permission denied')

    def test_static_program(self):
        for name, flags in (('static', ['-static']), ('static-pie', ['-static-pie'])):
            with self.subTest(name=name):
                program = compile_c(name, 'int main(void) { return 9; }', *flags)
                self.expect_refused(program, 127, 'statically linked', '--on-error continue')
                self.assertEqual(self.run_command('--on-error', 'continue', program).returncode, 9)
                environment = dict(self.environment, ZLAZY_ON_ERROR='continue')
                self.assertEqual(self.run_command(program, env=environment).returncode, 9)

    def test_script_with_static_interpreter(self):
        program = compile_c('interpreter', 'int main(void) { return 9; }', '-static')
        script = self.directory + '/script'
        with open(script, 'w') as out:
            out.write('#! %s -x\n' % program)
        os.chmod(script, 0o755)
        self.expect_refused(script, 127, 'statically linked')

    def test_program_of_another_architecture(self):
        # An ELF header of 32 bits is enough: the command must refuse before exec does.
        with open(self.directory + '/elf32', 'wb') as out:
            out.write(b'\x7fELF\x01\x01\x01' + b'\0' * 200)
        os.chmod(self.directory + '/elf32', 0o755)
        self.expect_refused('./elf32', 127, '64-bit')

    def test_set_user_id_program(self):
        if os.getuid() != 0 or os.statvfs(self.directory).f_flag & os.ST_NOSUID:
            self.skipTest('needs root and a mount without nosuid')
        program = self.directory + '/setuid'
        subprocess.run(['cp', '/bin/true', program], check=True)
        os.chown(program, 65534, -1)
        os.chmod(program, 0o4755)
        self.expect_refused(program, 127, 'set-user-ID')

    def test_script_without_interpreter_line(self):
        with open(self.directory + '/plain', 'w') as out:
            out.write('exit 6\n')
        os.chmod(self.directory + '/plain', 0o755)
        self.assertEqual(self.run_command('./plain').returncode, 6)


class Environment(CommandTest):
    def variables(self, *options, **environment):
        done = self.run_command(*options, 'env', env=dict(self.environment, **environment))
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(line.split('=', 1) for line in done.stdout.splitlines() if '=' in line)

    def test_preload_is_absolute_and_keeps_the_users(self):
        library = os.path.realpath(Place.work) + '/bin/libzlazy.so'
        self.assertEqual(self.variables()['LD_PRELOAD'], library)
        self.assertEqual(self.variables(LD_PRELOAD='libm.so.6')['LD_PRELOAD'], library + ':libm.so.6')

    def test_nothing_else_is_set(self):
        self.assertEqual([name for name in self.variables() if name.startswith('ZLAZY_')], [])

    def test_hooks(self):
        os.link(Place.work + '/bin/libzlazy.so', self.directory + '/h.so')
        there = os.path.realpath(self.directory)
        seen = self.variables('--hook', './h.so:a=b:c', '--hook', 'name.so', '--hook', there + '/h.so')
        self.assertEqual(seen['ZLAZY_HOOK'].replace('/./', '/'), '%s/h.so:a=b:c;name.so;%s/h.so' % (there, there))
        self.assertEqual(self.variables('--hook', 'in.so', ZLAZY_HOOK='out.so:x')['ZLAZY_HOOK'], 'out.so:x;in.so')

    def test_values(self):
        seen = self.variables('--tactic', 'trap', '--log', 'log', '--quiet', '--debug', '2', '--on-error=continue',
                              ZLAZY_TACTIC='zpoline')
        self.assertEqual(seen['ZLAZY_TACTIC'], 'trap')
        self.assertEqual(seen['ZLAZY_LOG'], os.path.realpath(self.directory) + '/log')
        self.assertEqual(seen['ZLAZY_QUIET'], '1')
        self.assertEqual(seen['ZLAZY_DEBUG'], '2')
        self.assertEqual(seen['ZLAZY_ON_ERROR'], 'continue')

    def test_counters_file(self):
        for option in ('-c', '--stats'):
            path = self.variables(option)['ZLAZY_STATS']
            self.assertTrue(path.startswith(self.runtime + '/zlazy-'), path)
            self.expect_nothing_left()

    def test_program_starts_as_it_would_natively(self):
        script = 'ls -l /proc/self/fd | grep -c ^l; grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status; umask; pwd'
        ready = lambda: (signal.signal(signal.SIGCHLD, signal.SIG_IGN), signal.signal(signal.SIGHUP, signal.SIG_IGN),  # noqa: E731
                         signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM]))
        native = subprocess.run(['sh', '-c', script], cwd=self.directory, stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=ready)
        for options in ([], ['-c', '-o', 'table']):
            done = self.run_command(*options, 'sh', '-c', script, preexec_fn=ready)
            self.assertEqual(done.stdout, native.stdout)
