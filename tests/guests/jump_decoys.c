/* jump_decoys - issue 5, mov: instructions that end like `mov $102,%eax` and are none, calls with other numbers
 * behind them */
#include "jump.h"

#define TAIL ".byte 0xb8; .long 102; "
FUNCTION(d_r8d, "movl %edi,%eax; movl $102,%r8d; syscall; ret");
FUNCTION(d_r8, "movl %edi,%eax; movq $102,%r8; syscall; ret");
FUNCTION(d_long_r8d, "movl %edi,%eax; .byte 0x41,0xc7,0xc0; .long 102; syscall; ret");
FUNCTION(d_movabs, "movl %edi,%eax; .byte 0x49,0xb8,1,2,3; " TAIL "syscall; ret");
FUNCTION(d_lea, "movl %edi,%eax; .byte 0x8d; " TAIL "syscall; ret"); /* lea 102(%rax),%edi */
FUNCTION(d_sib, "leal -102(%rdi),%eax; xorl %edi,%edi\n"
	".byte 0x8d,0x84; " TAIL "syscall; ret");                  /* lea 102(%rax,%rdi,4),%eax */
FUNCTION(d_word, "cmpl $500,%edi; movl %edi,%eax; jne 1f; movl $0x10000,%eax\n"
	".byte 0x66,0xb8,102,0\n1: syscall; ret");
FUNCTION(d_overlap, "movl %edi,%eax; cmpl $500,%edi; jne 1f; .byte 0xb8,0x66\n1: .byte 0x90,0x90,0x90; syscall; ret");
extern call_function d_r8d, d_r8, d_long_r8d, d_movabs, d_lea, d_sib, d_word, d_overlap;

/* Prefixes that change nothing. */
FUNCTION(p_rex, ".byte 0x40; " TAIL "syscall; ret");
FUNCTION(p_segment, ".byte 0x2e; " TAIL "syscall; ret");
FUNCTION(p_rep, ".byte 0xf3; " TAIL "syscall; ret");
FUNCTION(p_repne, ".byte 0xf2; " TAIL "syscall; ret");
FUNCTION(p_address, ".byte 0x67; " TAIL "syscall; ret");
FUNCTION(p_rex_r, ".byte 0x44; " TAIL "syscall; ret");
FUNCTION(p_long, "movq $102,%rax; syscall; ret");
FUNCTION(p_long_rex_r, ".byte 0x4c,0xc7,0xc0; .long 102; syscall; ret");
FUNCTION(p_long_32, ".byte 0xc7,0xc0; .long 102; syscall; ret");
FUNCTION(p_movabs, "movabsq $102,%rax; syscall; ret");
FUNCTION(p_two, "movl $500,%eax; movl $102,%eax; syscall; ret");
FUNCTION(p_prefixed, "movl $102,%eax; .byte 0x66,0x0f,0x05; ret");
extern call_function p_rex, p_segment, p_rep, p_repne, p_address, p_rex_r, p_long, p_long_rex_r, p_long_32, p_movabs,
	p_two, p_prefixed;

static call_function *const decoys[] = { d_r8d, d_r8, d_long_r8d, d_movabs, d_lea, d_sib, d_word, d_overlap },
	*const same[] = { p_rex, p_segment, p_rep, p_repne, p_address, p_rex_r, p_long, p_long_rex_r, p_long_32, p_movabs,
	p_two, p_prefixed };
enum { DECOYS = COUNT_OF(decoys), SAME = COUNT_OF(same) };

/* Copies without an unwind table, 61 bytes apart, with bytes between them that look like code of all kinds. */
static void copy(unsigned char *page)
{
	for (int i = 0; i < CODE_PAGE; i++)
		page[i] = "\x48\xb8\x49\x41\x05\xcc\x0f\xc7\x90\xe9\x66"[i * 7 % 11];
	for (size_t i = 0; i < DECOYS + SAME; i++)
		memcpy(page + 61 * i, (void *)(uintptr_t)(i < DECOYS ? decoys[i] : same[i - DECOYS]), 32);
}

static void run(const unsigned char *page)
{
	for (size_t i = 0; i < DECOYS + SAME; i++) {
		const void *code = page ? page + 61 * i : (void *)(uintptr_t)(i < DECOYS ? decoys[i] : same[i - DECOYS]);
		CHECK_EQ(call_at(code, 500, 0, 0), i < DECOYS ? -ENOSYS : (long)getuid());
		CHECK_EQ(call_at(code, SYS_getgid, 0, 0), i < DECOYS ? (long)getgid() : (long)getuid());
	}
}

int main(void)
{
	unsigned char *anonymous = map_pages(1, PROT_RW);
	copy(anonymous);
	unsigned char *file = file_code(code_file(anonymous, CODE_PAGE), 1, NULL, 0);
	protect(anonymous, 1, PROT_RX);
	for (int again = 0; again < 50; again++) {
		run(NULL);
		run(anonymous);
		run(file);
	}
	say("%d decoys, %d in disguise", (int)DECOYS, (int)SAME);
	return 0;
}
