/* notify.c - seccomp user notification: another process is told of each call of the loop's site, and answers it
 *
 * The supervisor is a child that shares the table of descriptors, so that it can use the listener that the filter
 * gives to the loop. It is killed when the loop ends. A call that is passed on is continued in the kernel.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook.h"

/* Linux 6.6: the supervisor is woken up on the caller's processor. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1
#endif

static pid_t supervisor;

static void end_supervisor(void)
{
	kill(supervisor, SIGKILL);
}

static void answer_next(int listener)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp response = { 0 };
	long answer;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) {
		perror("loop: notify: receive");
		goto fail;
	}
	response.id = call.id;
	if (hook_answers(call.data.nr, &answer))
		response.val = answer;
	else
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0)
		return;
	perror("loop: notify: send");
fail:
	kill(getppid(), SIGTERM);   /* which would wait for ever */
	_exit(1);
}

static _Noreturn void supervise(int pipe, int cpu)
{
	int listener;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(pipe, &listener, sizeof(listener)) != sizeof(listener))
		_exit(1);
	if (cpu >= 0)
		loop_move_to(cpu);
	else
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	for (;;)
		answer_next(listener);
}

int notify_arm(int cpu)
{
	int ends[2], listener;

	if (pipe(ends) != 0)
		return -errno;
	supervisor = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (supervisor < 0)
		return -errno;
	if (supervisor == 0)
		supervise(ends[0], cpu);
	atexit(end_supervisor);
	listener = (int)seccomp_take_site(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (listener < 0)
		return listener;
	if (write(ends[1], &listener, sizeof(listener)) != sizeof(listener))
		return -EIO;
	return 0;
}
