/* onion - onion.so:D or onion.so:Da, D a digit: on call 400 (the kernel has none) the first argument goes on, and the result comes back, as
 * ten times itself plus D; with `a` the hook answers its argument without going on. Several can be loaded. */
#include <zlazy/zlazy.h>

enum { NUMBER = 400 };
static const struct zlazy_api *api;
static struct layer { long digit; int answers; } layers[16];
static unsigned used;

static long on_call(struct zlazy_call *call, void *data)
{
	const struct layer *layer = data;
	call->arg[0] = call->arg[0] * 10 + layer->digit;
	return (layer->answers ? call->arg[0] : api->next(call)) * 10 + layer->digit;
}

int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
{
	if (argument[0] < '0' || argument[0] > '9' || used == 16)
		return -1;
	api = a;
	layers[used] = (struct layer){ argument[0] - '0', argument[1] == 'a' };
	hook->data = &layers[used++];
	hook->on_call = on_call;
	hook->registers = used % 2 ? ZLAZY_GENERAL_ONLY : ZLAZY_PRESERVE_ALL;
	zlazy_want(hook, NUMBER);
	return 0;
}
