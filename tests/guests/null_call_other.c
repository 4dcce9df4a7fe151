/* null_call_other - row 9: a small address called through another register or memory, rax holding a valid number */
#include "fault.h"

static long table[4];

__attribute__((noinline)) static void call_rcx(long address)
{
	asm volatile("call *%0" : : "c"(address), "a"(39L) : "memory");
}
__attribute__((noinline)) static void call_r11(long address)
{
	register long r11 asm("r11") = address;
	asm volatile("call *%0" : : "r"(r11), "a"(102L) : "memory");
}
__attribute__((noinline)) static void call_memory(long address)
{
	table[2] = address;
	asm volatile("call *16(%0)" : : "b"(table), "a"(500L) : "memory");
}

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	static void (*const ways[])(long) = { call_rcx, call_r11, call_memory };
	static const long addresses[] = { 0, 0x10, 0x123, 0xfff };
	for (size_t way = 0; way < COUNT_OF(ways); way++)
		for (size_t i = 0; i < COUNT_OF(addresses); i++) {
			if (!sigsetjmp(fault_jump, 1)) {
				ways[way](addresses[i]);
				FAIL("%#lx was called", addresses[i]);
			}
			say_fault("call", NULL);
		}
	return 0;
}
