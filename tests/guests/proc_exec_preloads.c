/* proc_exec_preloads - row 15: execve with two LD_PRELOAD entries, of which the dynamic linker takes the last: the child is
 * the same process still, in the eyes of getpid */
#include "guest.h"

int main(int count, char **arguments, char **environment)
{
	char *with[1000], id[24];
	int n = 0;
	snprintf(id, sizeof(id), "%d", getpid());
	if (count > 1) {
		say("child: %s process", strcmp(arguments[1], id) ? "ANOTHER" : "same");
		return 0;
	}
	with[n++] = "LD_PRELOAD=";
	for (char **e = environment; *e && n < 990; e++)
		with[n++] = *e;
	with[n++] = "LD_PRELOAD=";
	with[n] = NULL;
	execve("/proc/self/exe", (char *[]){ "child", id, NULL }, with);
	FAIL("exec");
}
