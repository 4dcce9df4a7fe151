/* names.c - names of x86-64 system calls, from the kernel's headers at build time (scripts/generate-names) */
#include "tools/names.h"

#include "zl_names.h"

#include <stdio.h>

#define NAME(number, text) [number] = text,
static const char *const names[] = { ZL_NAMES_64(NAME) };
#undef NAME

void zl_name_of(unsigned number, char name[ZL_NAME_SIZE])
{
	if (number < sizeof names / sizeof names[0] && names[number] != NULL)
		snprintf(name, ZL_NAME_SIZE, "%s", names[number]);
	else
		snprintf(name, ZL_NAME_SIZE, "syscall_0x%x", number);
}
