/* null_call_forms - rows 2, 9: NULL calls in every form of `call` (ff /2) that end where a site ended before:
 * register, memory, with each base, with an index, by rip and absolute, with 1 and 4 bytes of displacement, with
 * and without REX */
#include "life.h"

enum { PAGES = 32, NEAR = 0x10, NO_INDEX = 0x20, BY_RDX = 0x10 };

static long *table;   /* of one NULL; memory below it is a stack for the forms that are based on rsp */

/* mov $39,%eax; xor %edx,%edx; mov %rdi,base; call; ret. The number of bytes before `after`. */
static int put_form(unsigned char *after, int rex, int mod, int rm, int sib)
{
	bool has_sib = mod != 3 && rm == 4, is_by_rip = mod == 0 && rm == 5;
	int base = has_sib ? sib & 7 : rm;
	bool is_absolute = has_sib && mod == 0 && base == 5;
	int far = is_by_rip ? (int)((long)table - (long)after) : is_absolute ? (int)(long)table : NEAR;
	int size = mod == 1 ? 1 : mod == 2 || is_by_rip || is_absolute ? 4 : 0, length = 0;
	unsigned char code[32];

	memcpy(code, "\xb8\x27\x00\x00\x00\x31\xd2", length = 7);
	if (!is_by_rip && !is_absolute) {
		memcpy(code + length, (unsigned char[]){ 0x48 | rex, 0x89, 0xf8 | base }, 3);
		length += 3;
	}
	if (rex)
		code[length++] = 0x40 | rex;
	code[length++] = 0xff;
	code[length++] = mod << 6 | 2 << 3 | rm;
	if (has_sib)
		code[length++] = sib;
	memcpy(code + length, &far, size);
	length += size;
	memcpy(after - length, code, length);
	*after = 0xc3;
	return length;
}

static void run_form(unsigned char *page, int rex, int mod, int rm, int sib)
{
	static int forms;
	unsigned char *after = after_spot(page, forms++ % SPOTS);

	if ((mod == 3 && rm == 4 && !rex) || (mod != 3 && rm == 4 && !rex && sib == (BY_RDX | 2)))
		return;   /* rsp is not NULL, rdx not base and index */
	protect(page, 1, PROT_RW);
	fill_sites(page);
	protect(page, 1, PROT_RX);
	run_sites(page);
	protect(page, 1, PROT_RW);
	int before = put_form(after, rex, mod, rm, sib);
	protect(page, 1, PROT_RX);
	for (int again = 0; again < 2; again++) {
		expect_fault(after - before, mod == 3 ? 0 : (uintptr_t)table - (mod ? NEAR : 0), SEGV_MAPERR, 0, 0);
		CHECK_EQ(fault.slot, after);
	}
}

int main(void)
{
	unsigned char *page = mmap(NULL, PAGES * CODE_PAGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(page != MAP_FAILED);
	table = (long *)(page + (PAGES - 1) * CODE_PAGE);
	handle(SIGSEGV, on_fault, 0);
	for (int rex = 0; rex < 2; rex++)
		for (int mod = 0; mod < 4; mod++)
			for (int rm = 0; rm < 8; rm++)
				for (int base = 0; base < (mod != 3 && rm == 4 ? 8 : 1); base++) {
					run_form(page, rex, mod, rm, NO_INDEX | base);
					run_form(page, rex, mod, rm, BY_RDX | base);
				}
	say("every form faults");
	return 0;
}
