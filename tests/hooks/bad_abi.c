/* bad_abi - bad input: a hook of ABI 2, whose struct has grown, and which fills all of it. Not the agent's zlazy.h. */
#include <stdint.h>
#include <string.h>

struct hook_of_abi_2 { uint32_t size, registers; void *on_call, *data; uint64_t wanted[8], grown[2000]; };

int zlazy_hook_init(const void *api, const char *argument, struct hook_of_abi_2 *hook);
extern const uint32_t zlazy_hook_abi;
const uint32_t zlazy_hook_abi = 2;

int zlazy_hook_init(const void *api, const char *argument, struct hook_of_abi_2 *hook)
{
	(void)api, (void)argument;
	memset(hook, 0xff, sizeof(*hook));
	return 0;
}
