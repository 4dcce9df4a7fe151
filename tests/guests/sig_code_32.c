/* sig_code_32 - row 11: a signal that interrupts 32-bit code (a far call to selector 0x23): the handler runs in 64-bit
 * mode, and the code goes on where it was */
#include "guest.h"

static volatile int ticks;

static void on_tick(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	ticks++;
}

int main(void)
{
	/* mov $0x8000000,%ecx; 1: dec %ecx; jnz 1b; mov $1234,%eax; lret */
	static const unsigned char narrow[] = { 0xb9, 0, 0, 0, 8, 0x49, 0x75, 0xfd, 0xb8, 0xd2, 4, 0, 0, 0xcb };
	/* long call(stack, far pointer): mov %rsp,%r15; mov %rdi,%rsp; lcall *(%rsi); mov %r15,%rsp; ret */
	static const unsigned char call[] = { 0x49, 0x89, 0xe7, 0x48, 0x89, 0xfc, 0xff, 0x1e, 0x4c, 0x89, 0xfc, 0xc3 };
	char *low = mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(low != MAP_FAILED);
	memcpy(low, narrow, sizeof(narrow));
	memcpy(low + 256, call, sizeof(call));
	const struct __attribute__((packed)) { uint32_t offset; uint16_t selector; } far = { (uint32_t)(long)low, 0x23 };
	long result;
	handle(SIGALRM, on_tick, 0);
	tick_every(5000);
	asm volatile("call *%%rax" : "=a"(result) : "0"(low + 256), "D"(low + 65536), "S"(&far), "m"(far)
		: "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
	tick_every(0);
	CHECK_EQ(result, 1234);
	say("came back, %s", ticks ? "interrupted" : "never interrupted");
	return 0;
}
