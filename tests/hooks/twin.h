/* twin.h - two hooks whose libraries define the same names: each answers one number, its own */
#include <zlazy/zlazy.h>

/* Visible, and called by way of the PLT: a library that is searched first would answer for the other. */
int twin_answer = TWIN_ANSWER;
long twin_on_call(struct zlazy_call *call, void *data);

long twin_on_call(struct zlazy_call *call, void *data)
{
	(void)call, (void)data;
	return twin_answer;
}

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	(void)api, (void)argument;
	hook->on_call = twin_on_call;
	zlazy_want(hook, TWIN_NUMBER);
	return 0;
}
