/* jump_across_word - issue 5: a mov across two words of eight bytes, in a process with threads: there it stays, or
 * becomes a jump; what is between the two doesn't stay, whatever the kernel lacks (tests/without membarrier) */
#include "jump.h"

FUNCTION(across, ".skip 5,0x90; movl $102,%eax; syscall; ret");
extern call_function across;
extern unsigned char across_bytes[] asm("across");

static void *body(void *unused)
{
	for (int i = 0; i < 20; i++)
		CHECK_EQ(across(0, 0, 0), getuid());
	return unused;
}

int main(void)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
	body(NULL);
	pthread_join(thread, NULL);
	CHECK(across_bytes[5] == 0xb8 || across_bytes[5] == 0xe9);
	say("a mov or a jump");
	return 0;
}
