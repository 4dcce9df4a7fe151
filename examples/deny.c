/* deny.c - a hook that makes system calls fail, by name or number of the error, without asking the kernel
 *
 *     zlazy --hook deny.so:unlink=EPERM,openat=13 program        (not a sandbox) */
#define _GNU_SOURCE
#include <zlazy/zlazy.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int error_of[ZLAZY_NUMBERS];   /* 0: not denied */

static long on_call(struct zlazy_call *call, void *data)
{
	(void)data;
	return -error_of[call->number];
}

static long find_number(const struct zlazy_api *api, const char *name)
{
	for (long number = 0; number < ZLAZY_NUMBERS; number++)
		if (api->name(number, ZLAZY_ABI_X86_64) && strcmp(api->name(number, ZLAZY_ABI_X86_64), name) == 0)
			return number;
	return -1;
}

static int find_error(const char *word)
{
	char *end;
	long value = strtol(word, &end, 10);

	if (*word != '\0' && *end == '\0')
		return value > 0 && value <= 4095 ? (int)value : 0;
	for (int error = 1; error < 4096; error++)
		if (strerrorname_np(error) && strcmp(strerrorname_np(error), word) == 0)
			return error;
	return 0;
}

int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook)
{
	char *list = strdup(argument), *state, line[256];

	for (char *item = strtok_r(list, ",", &state); item != NULL; item = strtok_r(NULL, ",", &state)) {
		char *value = strchr(item, '=');
		long number = value ? (*value = '\0', find_number(api, item)) : -1;
		int error = value ? find_error(value + 1) : 0;
		snprintf(line, sizeof line, "deny: unknown %s in '%s=%s'; use name=errno,..., as unlink=EPERM",
			 number < 0 ? "system call" : "error", item, value ? value + 1 : "");
		if (number < 0 || error == 0)
			return api->log(line), -EINVAL;
		error_of[number] = error;
		zlazy_want(hook, number);
	}
	free(list);
	hook->on_call = on_call;
	return 0;
}
