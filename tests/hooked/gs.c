/* gs.c - change gs behind the agent's back, make a call; "called" is printed if that goes well
 *
 *     gs base FILE      wrgsbase to 4096 bytes that are FILE, whose fourth word points to its second half
 *     gs wild           wrgsbase to an address that is not mapped
 *     gs ldt            a selector of the local descriptor table, whose base is readable memory
 *     gs no-stack FILE  as base, but the call is made with a stack pointer that points nowhere
 *     gs back           wrgsbase, and what was there again before the call: nobody is hurt
 * Exit status 77: not possible here.
 */
#include <asm/ldt.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HAS_FSGSBASE = 2, SELECTOR = 3 << 3 | 7 };

__attribute__((noinline)) static void call(void *stack)
{
	long result;
	asm volatile("mov %%rsp,%%rbx; test %2,%2; cmovnz %2,%%rsp; syscall; mov %%rbx,%%rsp"
		     : "=a"(result) : "0"(SYS_getuid), "r"(stack) : "rbx", "rcx", "r11", "memory");
}

static void *map(const char *path)
{
	int file = path ? open(path, O_RDWR) : -1;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       path ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS | MAP_32BIT, file, 0);
	if (p == MAP_FAILED)
		_exit(2);
	((void **)p)[2] = (char *)p + 2048;
	return p;
}

static void set_base(void *base)
{
	asm volatile("wrgsbase %0" : : "r"(base) : "memory");
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	void *memory = map(argc > 2 ? argv[2] : NULL), *before;

	call(NULL);   /* rewritten now, where that is done */
	if (strcmp(how, "ldt") == 0) {
		struct user_desc entry = { .entry_number = 3, .base_addr = (unsigned)(unsigned long)memory, .limit = 0xfff,
					   .seg_32bit = 1, .useable = 1 };
		if (syscall(SYS_modify_ldt, 0x11, &entry, sizeof(entry)) != 0)
			return 77;
		asm volatile("mov %0,%%gs" : : "r"(SELECTOR) : "memory");
	} else {
		if (!(getauxval(AT_HWCAP2) & HAS_FSGSBASE))
			return 77;
		asm volatile("rdgsbase %0" : "=r"(before));
		set_base(strcmp(how, "wild") == 0 ? (void *)0x123456789000 : memory);
		if (strcmp(how, "back") == 0)
			set_base(before);
	}
	call(strcmp(how, "no-stack") == 0 ? (void *)0x123456789000 : NULL);
	return write(1, "called\n", 7) != 7;
}
