"""The list of refused sites with the real agent; see test_command.py.

A function without a frame of its own that keeps a local in its red zone has a site that is never rewritten.
"""
import os
import re
import subprocess

import machine
from support import AgentTest, Place, compile_c

REFUSED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
__attribute__((noinline)) %s long in_red_zone(long a)
{
	long kept = a, result;
	__asm__ volatile("movq %%1, -8(%%%%rsp)\n\tsyscall\n\tmovq -8(%%%%rsp), %%1"
			 : "=a"(result), "+r"(kept) : "0"(SYS_getuid) : "rcx", "r11", "memory");
	return kept;
}
"""
PROGRAM = REFUSED % 'static'
LIBRARY = REFUSED % '__attribute__((visibility("default")))'
CALLS = PROGRAM + """
int main(int count, char **words)
{
	for (int i = 0; i < atoi(words[1]); i++)
		if (in_red_zone(i) != i)
			return 1;
	return count != 2;
}
"""
FORKS = PROGRAM + """
int main(void)
{
	int status, bad = 0;
	for (int i = 0; i < 200; i++)
		if (fork() == 0)
			_exit(in_red_zone(i) + in_red_zone(i) + in_red_zone(i) != 3 * i);
	while (wait(&status) > 0)
		bad |= status;
	return bad != 0;
}
"""
# The same code at many addresses of memory that is none of a file's.
ANONYMOUS = PROGRAM + r"""
int main(int count, char **words)
{
	static const char code[] = "\x48\x89\x7c\x24\xf8\xb8\x66\x00\x00\x00\x0f\x05\x48\x8b\x44\x24\xf8\xc3";
	int sharing = count > 1 && words[1][0] == 's' ? MAP_SHARED : MAP_PRIVATE;
	for (int i = 0; i < 50; i++) {
		char *page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, sharing | MAP_ANONYMOUS, -1, 0);
		memcpy(memset(page, 0x90, 4096) + 64 + 32 * i, code, sizeof code);
		if (((long (*)(long))(page + 64 + 32 * i))(i) != i)
			return 1;
	}
	return 0;
}
"""
OPENS = PROGRAM + """
int main(int count, char **words)
{
	void *library = dlopen(words[1], RTLD_NOW);
	if (!library)
		return 2;
	if (count > 2 && words[2][0] == 'd')
		unlink(words[1]);
	if (count > 2 && words[2][0] == 'r' && rename(words[2] + 1, words[1]) != 0)
		return 3;
	return ((long (*)(long))dlsym(library, "in_red_zone"))(5) != 5;
}
"""


class Sites(AgentTest):
    def setUp(self):
        super().setUp()
        if machine.why_no_zpoline():
            self.skipTest(machine.why_no_zpoline())

    def program(self, name, text, *flags):
        return compile_c(name, text, '-O2', '-w', *flags)

    def list_sites(self, *words, status=0, **more):
        """The lines of the list but for rt_sigreturn and the dynamic linker, each (traps, sites, bytes, call, reason,
        place); and the sums."""
        done = self.run_command('--quiet', '--tactic', 'zpoline', '--stats', '-o', 'report', *words, **more)
        self.assertEqual((done.returncode, done.stderr), (status, ''))
        text = self.text_of('report')
        rows = (re.fullmatch(r' *(\S.*?) +(\d+)', line) for line in text.splitlines())
        sums = {row[1]: int(row[2]) for row in rows if row}
        found = re.findall(r'(?m)^ +(\d+) +(\d+) +([0-9a-f. ]*\[0f 05\][0-9a-f. ]*?)  (\S+) +(\S.*?)  +(\S.*)$', text)
        return [(int(row[0]), int(row[1]), *row[2:]) for row in found
                if row[3] != 'rt_sigreturn' and not row[5].startswith('ld-linux')], sums

    def expect_symbol(self, place, path, symbol):
        """`place` names the symbol, and nm and objdump have a `syscall` there."""
        found = re.fullmatch(r'(.+)!(\w+)\+0x([0-9a-f]+)', place)
        self.assertTrue(found, place)
        self.assertEqual((found[1], found[2]), (os.path.basename(path), symbol))
        table = subprocess.run(['nm', path], capture_output=True, text=True, check=True).stdout
        table += subprocess.run(['nm', '-D', path], capture_output=True, text=True, check=True).stdout
        base = int(re.search(r'(?m)^([0-9a-f]+) [Tt] %s$' % symbol, table)[1], 16)
        address = base + int(found[3], 16)
        code = subprocess.run(['objdump', '-d', f'--start-address={address}', f'--stop-address={address + 2}', path],
                              capture_output=True, text=True, check=True).stdout
        self.assertRegex(code, r'\n +%x:\s+0f 05\s+syscall' % address)

    def test_symbol_and_sum(self):
        program = self.program('calls', CALLS)
        sites, sums = self.list_sites(program, '1000')
        self.assertEqual(len(sites), 1, sites)
        self.assertEqual((sites[0][:2], sites[0][3]), ((1000, 1), 'getuid'))
        self.assertEqual(sites[0][4], 'the stack slot below may be in use')
        self.assertEqual(sums['at sites not safe to rewrite'], 999)
        self.assertEqual(sums['the stack slot below may be in use'], 1)
        self.expect_symbol(sites[0][5], program, 'in_red_zone')

    def test_bytes(self):
        program = self.program('calls', CALLS)
        (_, _, text, *_), = self.list_sites(program, '1')[0]
        with open(program, 'rb') as file:
            self.assertIn(bytes.fromhex(text.replace('[', ' ').replace(']', ' ')), file.read())

    def test_other_addresses_than_offsets(self):
        program = self.program('calls-at', CALLS, '-no-pie', '-Wl,-z,separate-code')
        self.expect_symbol(self.list_sites(program, '3')[0][0][5], program, 'in_red_zone')

    def test_stripped_program(self):
        program = self.program('calls-stripped', CALLS, '-s')
        (*_, place), = self.list_sites(program, '3')[0]
        path, offset = place.rsplit('+', 1)
        self.assertEqual(path, program)
        with open(program, 'rb') as file:
            file.seek(int(offset, 16))
            self.assertEqual(file.read(2), b'\x0f\x05')

    def test_separate_debugging_information(self):
        program = self.program('calls-apart', CALLS, '-g')
        for words in (['objcopy', '--only-keep-debug', program, program + '.debug'], ['strip', program],
                      ['objcopy', '--add-gnu-debuglink=' + program + '.debug', program]):
            subprocess.run(words, check=True)
        (*_, place), = self.list_sites(program, '3')[0]
        self.assertRegex(place, r'\Acalls-apart!in_red_zone\+0x[0-9a-f]+\Z')

    def test_forks_are_one_line(self):
        program = self.program('forks', FORKS)
        sites, sums = self.list_sites(program)
        self.assertEqual(sums['processes'], 201)
        self.assertEqual([row[:2] for row in sites], [(600, 200)])
        self.expect_symbol(sites[0][5], program, 'in_red_zone')

    def test_execs_are_one_line(self):
        program = self.program('calls', CALLS)
        sites, _ = self.list_sites('sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do "$0" 10 & done; wait', program)
        self.assertEqual([row[:2] for row in sites], [(80, 8)])

    def test_anonymous_memory(self):
        program = self.program('anonymous', ANONYMOUS)
        for word, kind in (('p', 'anonymous memory'), ('s', 'shared memory')):
            with self.subTest(word=word):
                sites, _ = self.list_sites(program, word)
                self.assertEqual([row[:2] for row in sites], [(50, 50)])
                self.assertRegex(sites[0][5], r'\A%s at 0x[0-9a-f]+ of process \d+\Z' % kind)

    def make_library(self, name='refused.so'):
        library = self.program(name, LIBRARY, '-shared', '-fPIC')
        copy = self.directory + '/' + name
        os.link(library, copy)
        return copy

    def test_library_with_dynamic_symbols_only(self):
        library = self.make_library()
        os.unlink(Place.work + '/refused.so')
        subprocess.run(['strip', library], check=True)
        sites, _ = self.list_sites(self.program('opens', OPENS, '-ldl'), library)
        self.expect_symbol(sites[0][5], library, 'in_red_zone')

    def test_deleted_file(self):
        library = self.make_library()
        sites, _ = self.list_sites(self.program('opens', OPENS, '-ldl'), library, 'd')
        self.assertRegex(sites[0][5], r'\A%s \(deleted\)\+0x[0-9a-f]+\Z' % re.escape(library))

    def test_replaced_file(self):
        # Another library is there when the command looks: its symbols would be wrong.
        library = self.make_library()
        other = self.program('other.so', LIBRARY + 'long more(long a) { return a + 77; }\n', '-shared', '-fPIC',
                             '-O0')
        subprocess.run(['cp', other, self.directory + '/new'], check=True)
        script = '"$0" "$1"; mv -f "$2" "$1"'
        sites, _ = self.list_sites('sh', '-c', script, self.program('opens', OPENS, '-ldl'), library,
                                   self.directory + '/new')
        self.assertRegex(sites[0][5], r'\A%s\+0x[0-9a-f]+\Z' % re.escape(library))

    def test_long_path(self):
        folder = self.directory + ''.join('/' + letter * 100 for letter in 'abcdef')
        os.makedirs(folder)
        library = self.make_library()
        os.rename(library, folder + '/refused.so')
        sites, _ = self.list_sites(self.program('opens', OPENS, '-ldl'), folder + '/refused.so')
        self.assertRegex(sites[0][5], r'\A\.\.\.d+/e{100}/f{100}/refused\.so\+0x[0-9a-f]+\Z')

    def test_other_root(self):
        # In another mount namespace a file has a path that the command can't open.
        if os.getuid() != 0 or subprocess.run(['unshare', '-m', 'true'], capture_output=True).returncode != 0:
            self.skipTest('mount namespaces need root')
        library = self.make_library()
        os.mkdir(self.directory + '/hidden')
        script = 'mount -t tmpfs none "$1" && cp "$2" "$1" && exec "$0" "$1/refused.so"'
        sites, _ = self.list_sites('unshare', '-m', 'sh', '-c', script, self.program('opens', OPENS, '-ldl'),
                                   self.directory + '/hidden', library)
        self.assertRegex(sites[0][5], r'\A%s/hidden/refused\.so\+0x[0-9a-f]+\Z' % re.escape(self.directory))

    def test_nothing_is_asked_without_statistics(self):
        # The list costs a look at /proc/self/maps for each refused site: not so with -c, nor without the command.
        def opened(*words):
            trace = self.directory + '/trace'
            subprocess.run(['strace', '-f', '-o', trace, '-e', 'trace=openat', *words], cwd=self.directory, check=True,
                           env=self.environment, stdin=subprocess.DEVNULL, capture_output=True)
            return self.text_of('trace').count('/proc/self/maps')
        program = self.program('calls', CALLS)
        options = ['--quiet', '--tactic', 'zpoline']
        without = opened(self.command, *options, program, '10')
        self.assertEqual(opened(self.command, *options, '-c', program, '10'), without)
        self.assertEqual(opened(self.command, *options, '--stats', program, '10'), without + 1)
