/* jump.h - functions in assembly with calls that a jump might replace, in the guest's own text, with unwind tables
 *
 * MOV_CALL(name, nr): long name(a, b, c): `mov $nr,%eax; syscall; ret`. CAVE_CALL(name): long name(nr, a, b, c):
 * the number comes in a register, and behind the ret there are 14 bytes of padding. CODE_PAGE_OF_CALLS(name, nr): a
 * page of text with CALLS of each in turn. file_code(): the same bytes in a file of the guest's own, mapped where it
 * likes.
 */
#ifndef GUEST_JUMP_H
#define GUEST_JUMP_H

#include "code.h"

#define TEXT_OF(x) #x
#define NUMBER(x) TEXT_OF(x)

/* A function, with whatever assembly; it starts and ends at a multiple of 32. */
#define FUNCTION(name, ...) asm(".text; .p2align 5; .globl " #name "; .type " #name ",@function\n" #name \
	": .cfi_startproc\n" __VA_ARGS__ "\n.cfi_endproc; .size " #name ",.-" #name "; .p2align 5")
/* Padding that nothing runs, in the middle of a function. */
#define PADDING "jmp 999f; .skip 6,0xcc; .balign 16,0xcc; 999:\n"
#define SHIFT_CALL "movq %rdi,%rax; movq %rsi,%rdi; movq %rdx,%rsi; movq %rcx,%rdx; movq %r8,%r10; "
#define MOV_CALL(name, nr) FUNCTION(name, "movl $" NUMBER(nr) ",%eax; syscall; ret"); extern call_function name
#define CAVE_CALL(name) FUNCTION(name, SHIFT_CALL "syscall; ret"); extern cave_function name

typedef long cave_function(long nr, long a, long b, long c);

/* Where things are in each 64 bytes: the site of the mov, the second call, its site and its padding. */
enum { CALLS = 64, MOV_SITE = 5, CAVE_AT = 32, CAVE_SITE = 47, CAVE_PADDING = 50 };

#define CODE_PAGE_OF_CALLS(name, nr) asm(".text; .balign 4096; .globl " #name "; " #name ": .rept 64\n" \
	".cfi_startproc; movl $" NUMBER(nr) ",%eax; syscall; ret; .cfi_endproc; .p2align 5\n" \
	".cfi_startproc; " SHIFT_CALL "syscall; ret; .cfi_endproc; .p2align 5\n.endr; .balign 4096"); \
	extern unsigned char name[]

GUEST_UNUSED static long mov_in(const void *page, int i, long a, long b, long c)
{
	return call_at((const char *)page + 64 * i, a, b, c);
}

GUEST_UNUSED static long cave_in(const void *page, int i, long nr, long a, long b, long c)
{
	return ((cave_function *)((uintptr_t)page + 64 * (uintptr_t)i + CAVE_AT))(nr, a, b, c);
}

/* Each call of a page whose constant is getuid, the first `count` of each kind. */
GUEST_UNUSED static void run_page(const void *page, int count)
{
	for (int i = 0; i < count; i++) {
		CHECK_EQ(mov_in(page, i, 0, 0, 0), getuid());
		CHECK_EQ(cave_in(page, i, i % 2 ? SYS_getgid : 500, 0, 0, 0), i % 2 ? (long)getgid() : -ENOSYS);
	}
}

/* An unlinked file with these bytes. */
GUEST_UNUSED static int code_file(const void *image, size_t size)
{
	char path[] = "/tmp/guest-XXXXXX";
	int fd = mkstemp(path);
	CHECK(fd >= 0 && unlink(path) == 0 && write(fd, image, size) == (ssize_t)size);
	return fd;
}

/* Map such a file, privately; at `place`, or anywhere. */
GUEST_UNUSED static unsigned char *file_code(int fd, int pages, void *place, int flags)
{
	void *p = mmap(place, (size_t)pages * CODE_PAGE, PROT_RX, MAP_PRIVATE | flags, fd, 0);
	CHECK(p != MAP_FAILED && (!(flags & MAP_FIXED) || p == place));
	return p;
}

/* Numbers of kilobytes that this process has in memory. */
GUEST_UNUSED static long resident_kb(void)
{
	char text[4096], *line;
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t length = read(fd, text, sizeof(text) - 1);
	CHECK(length > 0 && close(fd) == 0);
	text[length] = 0;
	CHECK((line = strstr(text, "VmRSS:")) != NULL);
	return strtol(line + 6, NULL, 10);
}

/* An eventfd, in which calls of write count themselves. */
GUEST_UNUSED static const uint64_t one = 1;

GUEST_UNUSED static long counted(int fd)
{
	uint64_t sum = 0;
	CHECK(read(fd, &sum, 8) == 8);
	return (long)sum;
}

#endif
