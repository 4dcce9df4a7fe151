/* proc_clone_sizes - row 14: every size of clone3's structure: too small, those that kernels have had, longer with
 * zeros and with what no kernel knows, beyond the end of memory; flags that don't go together */
#include "start.h"

static union { struct clone_args args; unsigned char bytes[16384]; } *room;
static const uint64_t bad_flags[] = { CLONE_THREAD, CLONE_SIGHAND, CLONE_THREAD | CLONE_VM,
	CLONE_VM | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND, CLONE_FS | CLONE_NEWNS,
	CLONE_FS | CLONE_NEWUSER, CLONE_SYSVSEM | CLONE_NEWIPC, CLONE_DETACHED, 1ULL << 63, 0x11,
	CLONE_VM | CLONE_VFORK | CLONE_DETACHED, CLONE_PIDFD | CLONE_VM | CLONE_DETACHED };

static int child(void *argument)
{
	return raw0(SYS_getuid) == (long)argument ? 30 : 31;
}

static long try(struct clone_args *args, size_t size)
{
	long pid = start3(args, size, child, (void *)(long)getuid());
	return pid > 0 ? wait_child((pid_t)pid) : pid;
}

int main(void)
{
	static const size_t sizes[] = { 0, 8, 63, 64, 65, 72, 79, 80, 81, 88, 89, 96, 128, 1000, 4096, 4097, 8192, ~0UL };
	room = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mprotect((char *)room + 8192, 8192, PROT_NONE) == 0);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		long got[3];
		room->args = (struct clone_args){ .exit_signal = SIGCHLD };
		got[0] = try(&room->args, sizes[i]);
		room->args.flags = CLONE_VM | CLONE_VFORK;
		got[1] = try(&room->args, sizes[i]);
		room->bytes[4000] = 1;
		got[2] = try(&room->args, sizes[i]);
		room->bytes[4000] = 0;
		say("size %ld: %ld %ld %ld", (long)sizes[i], got[0], got[1], got[2]);
	}
	struct clone_args *last = (struct clone_args *)((char *)room + 8192 - 64);   /* the first version just fits */
	memset(last, 0, 64);
	last->exit_signal = SIGCHLD;
	say("at the end of memory: %ld %ld %ld", try(last, 64), try(last, 80), try(last, 4096));
	last = (struct clone_args *)((char *)room + 8192 - 8);   /* only the flags can be read */
	last->flags = CLONE_VM | CLONE_VFORK;
	say("flags only: %ld %ld", try(last, 64), try(last, 88));
	for (size_t i = 0; i < COUNT_OF(bad_flags); i++) {
		room->args = (struct clone_args){ .flags = bad_flags[i], .exit_signal = SIGCHLD };
		say("flags %#lx: %ld", bad_flags[i], try(&room->args, sizeof(room->args)));
	}
	room->args = (struct clone_args){ .exit_signal = 65 };
	say("signal 65: %ld", try(&room->args, sizeof(room->args)));
	room->args = (struct clone_args){ .exit_signal = SIGCHLD, .stack = 4096 };
	say("a stack without a size: %ld", try(&room->args, sizeof(room->args)));
	room->args = (struct clone_args){ .exit_signal = SIGCHLD, .stack_size = 4096, .flags = CLONE_VM };
	say("a size without a stack: %ld", try(&room->args, sizeof(room->args)));
	room->args = (struct clone_args){ .exit_signal = SIGCHLD, .flags = CLONE_PARENT };
	say("PARENT with a signal: %ld", try(&room->args, sizeof(room->args)));
	return 0;
}
