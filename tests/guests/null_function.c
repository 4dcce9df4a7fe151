/* null_function - row 9: a NULL function pointer called from C, with eax holding what may look like a number */
#include "fault.h"

static void (*volatile function)(void);
static long (*volatile variadic)(long, ...);

int main(void)
{
	handle(SIGSEGV, on_fault, 0);
	for (int again = 0; again < 5; again++) {
		if (!sigsetjmp(fault_jump, 1)) {
			function();
			FAIL("function was called");
		}
		say_fault("function", NULL);
		if (!sigsetjmp(fault_jump, 1)) {
			variadic(39L, 1.0, 2.0); /* al = 2 */
			FAIL("variadic was called");
		}
		say_fault("variadic", NULL);
	}
	return 0;
}
