/* overwrite - what servers do to show their state in ps, and then an exec with a clean environment
 *
 *     overwrite PROGRAM ARGUMENT...
 *
 * Moves the environment away, fills the old place, asks for something that the agent refuses with a notice, and
 * executes PROGRAM with A=b as its whole environment.
 */
#include <asm/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	static char *const clean[] = { "A=b", NULL };
	char *start = environ[0], *end = start, **copy;
	int count = 0;

	if (argc < 2)
		return 2;
	for (; environ[count]; count++)
		end = environ[count] + strlen(environ[count]) + 1;
	copy = calloc((size_t)count + 1, sizeof(*copy));
	for (int i = 0; copy && i < count; i++)
		copy[i] = strdup(environ[i]);
	environ = copy;
	memset(start, 'Z', (size_t)(end - start) - 1);
	syscall(SYS_arch_prctl, ARCH_SET_GS, 4096L);
	execve(argv[1], argv + 1, clean);
	perror(argv[1]);
	return 126;
}
