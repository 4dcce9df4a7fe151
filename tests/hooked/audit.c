/* audit.c - an LD_AUDIT module for test_audit.py: tells what it is told, by system calls of its own
 *
 * A line for each object that is opened, closed, or bound to by a program's getppid(), in the file AUDIT_LOG; and for
 * each opened object a call 778 (closed: 779), its first argument 1 for plugin.so. getppid() is redirected: it answers
 * 4711. With AUDIT_PLT calls through the PLT are traced, too: those of getuid() are counted, and end as the last line.
 */
#include <link.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALL_ENTERED = 507, CALL_OPENED, CALL_CLOSED };

static int log_fd = -1;

static long call(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

static void tell(const char *what, const char *name)
{
	char line[600];
	int length = snprintf(line, sizeof(line), "%s %s\n", what, name && *name ? name : "main");
	call(SYS_write, log_fd, (long)line, length);
}

static int is_plugin(const char *name)
{
	const char *end = name ? strrchr(name, '/') : NULL;
	return end && !strcmp(end, "/plugin.so");
}

static int redirected_getppid(void)
{
	return 4711;
}

unsigned la_version(unsigned version)
{
	const char *path = getenv("AUDIT_LOG");
	log_fd = path ? (int)call(SYS_open, (long)path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
	return version < LAV_CURRENT ? version : LAV_CURRENT;
}

unsigned la_objopen(struct link_map *map, Lmid_t namespace, uintptr_t *cookie)
{
	(void)namespace;
	*cookie = (uintptr_t)map;
	tell("opened", map->l_name);
	call(CALL_OPENED, is_plugin(map->l_name), 0, 0);
	return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

unsigned la_objclose(uintptr_t *cookie)
{
	const char *name = ((struct link_map *)*cookie)->l_name;
	tell("closed", name);
	call(CALL_CLOSED, is_plugin(name), 0, 0);
	return 0;
}

uintptr_t la_symbind64(Elf64_Sym *symbol, unsigned index, uintptr_t *from, uintptr_t *to, unsigned *flags,
	const char *name)
{
	(void)index, (void)from, (void)to;
#ifdef AUDIT_PLT
	if (strcmp(name, "getuid"))
		*flags |= LA_SYMB_NOPLTENTER | LA_SYMB_NOPLTEXIT;
#else
	(void)flags;
#endif
	if (strcmp(name, "getppid"))
		return symbol->st_value;
	tell("bound", name);
	return (uintptr_t)redirected_getppid;
}

#ifdef AUDIT_PLT
Elf64_Addr la_x86_64_gnu_pltenter(Elf64_Sym *symbol, unsigned index, uintptr_t *from, uintptr_t *to,
	La_x86_64_regs *registers, unsigned *flags, const char *name, long *frame_size)
{
	(void)index, (void)from, (void)to, (void)registers, (void)flags, (void)name;
	*frame_size = 64;
	call(CALL_ENTERED, 0, 0, 0);
	return symbol->st_value;
}

unsigned la_x86_64_gnu_pltexit(Elf64_Sym *symbol, unsigned index, uintptr_t *from, uintptr_t *to,
	const La_x86_64_regs *in, La_x86_64_retval *out, const char *name)
{
	(void)symbol, (void)index, (void)from, (void)to, (void)in, (void)out;
	tell("left", name);
	return 0;
}
#endif
