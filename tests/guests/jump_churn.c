/* jump_churn - issue 5: 20,000 times code is mapped at another address, called and unmapped */
#include "jump_churn.h"

int main(void)
{
	return churn(16, 4096);
}
