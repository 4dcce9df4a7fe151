/* plugin - a shared object with raw system calls of its own, opened at run time by plugin_*.c and fd_*.c */
#include "guest.h"

long plugin_getuid(void);
long plugin_getuid(void)
{
	return raw0(SYS_getuid);
}

long plugin_seek(int fd);
long plugin_seek(int fd)
{
	return raw3(SYS_lseek, fd, 1, SEEK_CUR);
}
