/* plugin - what moving.c opens and closes: sites with their number in the code, and one with it in a register;
 * PADDING puts them elsewhere */
#include "../tests/guests/guest.h"

#define SITE(n) long plugin_##n(void); long plugin_##n(void) { return raw0(1000 + n); }

#ifdef PADDING
asm(".fill 1001, 1, 0xcc");
#endif
SITE(0) SITE(1) SITE(2) SITE(3) SITE(4) SITE(5) SITE(6) SITE(7)

long (*const plugin_fixed[])(void);
long (*const plugin_fixed[8])(void) = { plugin_0, plugin_1, plugin_2, plugin_3, plugin_4, plugin_5,
	plugin_6, plugin_7 };

long plugin_any(long number);
long plugin_any(long number)
{
	return raw0(number);
}
