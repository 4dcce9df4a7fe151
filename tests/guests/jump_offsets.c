/* jump_offsets - issue 5: the mov and its site at every offset around a cache line and a page; pages of different
 * protection and from different files on both sides; and in the guest's own text. The maps stay as they are */
#include "jump.h"
#include "maps.h"

enum { SPAN = 16, FIRST = 4096 - 12, NOP = 0x90 };
/* 16 functions in text, whose movs begin 12 bytes before a page's end, 11, 10, ... */
#define AT(k) FUNCTION(text_##k, ".balign 4096; .skip 4084+" #k ",0x90; .globl code_" #k "; code_" #k \
	": movl $102,%eax; syscall; ret"); extern call_function code_##k
AT(0); AT(1); AT(2); AT(3); AT(4); AT(5); AT(6); AT(7); AT(8); AT(9); AT(10); AT(11);

static unsigned char *pairs[5];
static struct maps before, after;

static void make(int which, int first, int second, bool file)
{
	static unsigned char image[SPAN * 2 * CODE_PAGE];
	memset(image, NOP, sizeof(image)); /* so that the mov is seen to be an instruction */
	for (int i = 0; i < SPAN; i++)
		put_call(image + 2 * i * CODE_PAGE + FIRST + i, i % 2 ? SYS_getuid : 500);
	unsigned char *p = pairs[which] = map_pages(2 * SPAN, PROT_RW);
	if (file)
		file_code(code_file(image, sizeof(image)), 2 * SPAN, p, MAP_FIXED);
	else
		memcpy(p, image, sizeof(image));
	for (int i = 0; i < SPAN; i++) {
		protect(p + 2 * i * CODE_PAGE, 1, first);
		protect(p + (2 * i + 1) * CODE_PAGE, 1, second);
	}
}

int main(void)
{
	static call_function *const text[] = { code_0, code_1, code_2, code_3, code_4, code_5, code_6, code_7, code_8,
		code_9, code_10, code_11 };
	make(0, PROT_RX, PROT_RX, false);
	make(1, PROT_RX, PROT_RWX, false);
	make(2, PROT_RWX, PROT_RX, false);
	make(3, PROT_RX, PROT_RX, true);
	make(4, PROT_RX, PROT_EXEC, true);
	for (int again = 0; again < 4; again++) {
		for (int which = 0; which < 5; which++)
			for (int i = 0; i < SPAN; i++)
				CHECK_EQ(call_at(pairs[which] + 2 * i * CODE_PAGE + FIRST + i, 0, 0, 0), i % 2 ? (long)getuid() : -ENOSYS);
		for (size_t i = 0; i < COUNT_OF(text); i++)
			CHECK_EQ(text[i](0, 0, 0), getuid());
		if (again == 1)
			read_maps(&before);
	}
	read_maps(&after);
	check_same_maps(&before, &after);
	say("all called");
	return 0;
}
