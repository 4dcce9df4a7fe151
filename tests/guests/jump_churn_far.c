/* jump_churn_far - issue 5: as jump_churn, over 320 GiB of addresses, where each 2 GiB need stubs of their own */
#include "jump_churn.h"

int main(void)
{
	return churn(1UL << 16, 1024);
}
