/* sig_restart_table - row 11: each kind of blocking call, interrupted by a handler without and with SA_RESTART: EINTR,
 * made again, or what the kernel says of it. needs the real getpid */
#include "blocked.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>

static int fds[2], sockets[2], listener, epoll, queue, semaphores, word;
static volatile int handled;
static char byte;

static void on_signal(int signo, siginfo_t *info, void *context) { (void)signo, (void)info, (void)context; handled++; }

/* Wakes whatever sleeps: each call ends after it, if it goes on at all. */
static void feed(void)
{
	struct msgbuf { long type; char text[8]; } message = { 1, "x" };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	snprintf(name.sun_path + 1, 40, "guest-%d", getpid());
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(client, (struct sockaddr *)&name, sizeof(name));
	if (write(fds[1], "x", 1) == 1 && write(sockets[1], "x", 1) == 1)
		msgsnd(queue, &message, 1, 0), semop(semaphores, &(struct sembuf){ 0, 1, 0 }, 1);
	raw3(SYS_futex, &word, FUTEX_WAKE, 1);
}

static long calls(int which)
{
	struct pollfd poll_fd = { fds[0], POLLIN, 0 };
	struct epoll_event event;
	struct timespec time = { 2, 0 };
	struct timeval value = { 2, 0 };
	struct { long type; char text[8]; } message;
	struct sembuf take = { 0, -1, 0 };
	fd_set set;
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	switch (which) {
	case 0: return raw3(SYS_read, fds[0], &byte, 1);
	case 1: return raw6(SYS_recvfrom, sockets[0], (long)&byte, 1, 0, 0, 0);
	case 2: return raw3(SYS_poll, &poll_fd, 1, 2000);
	case 3: return raw6(SYS_ppoll, (long)&poll_fd, 1, (long)&time, 0, 8, 0);
	case 4: return raw6(SYS_select, fds[0] + 1, (long)&set, 0, 0, (long)&value, 0);
	case 5: return raw6(SYS_epoll_wait, epoll, (long)&event, 1, 2000, 0, 0);
	case 6: return raw6(SYS_futex, (long)&word, FUTEX_WAIT, 0, 0, 0, 0);
	case 7: return raw6(SYS_futex, (long)&word, FUTEX_WAIT, 0, (long)&time, 0, 0);
	case 8: return raw6(SYS_msgrcv, queue, (long)&message, 8, 0, 0, 0);
	case 9: return raw3(SYS_semop, semaphores, &take, 1);
	case 10: return raw3(SYS_accept, listener, 0, 0) >= 0;
	case 11: return raw0(SYS_pause);
	default: return raw6(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&time, 0, 0, 0);
	}
}

int main(void)
{
	static const char *const names[] = { "read", "recv", "poll", "ppoll", "select", "epoll_wait", "futex", "futex with time", "msgrcv",
		"semop", "accept", "pause", "clock_nanosleep" };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	snprintf(name.sun_path + 1, 40, "guest-%d", getpid());
	for (int flags = 0, i = 0; i < 2 * (int)COUNT_OF(names); flags = ++i % 2 ? SA_RESTART : 0) {
		CHECK(pipe(fds) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
		queue = msgget(IPC_PRIVATE, 0600), semaphores = semget(IPC_PRIVATE, 1, 0600);
		epoll = epoll_create1(0), listener = socket(AF_UNIX, SOCK_STREAM, 0);
		bind(listener, (struct sockaddr *)&name, sizeof(name)), listen(listener, 3);
		epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &(struct epoll_event){ .events = EPOLLIN });
		handle(SIGUSR1, on_signal, flags);
		handled = 0;
		pthread_t thread = start_poke(&(struct poke){ SIGUSR1, i / 2 < 11 && flags ? feed : NULL });
		long result = calls(i / 2);
		int seen = handled;
		say("%s%s: %ld, %d handled", names[i / 2], flags ? ", SA_RESTART" : "", result, seen);
		pthread_cancel(thread), pthread_join(thread, NULL);
		msgctl(queue, IPC_RMID, NULL), semctl(semaphores, 0, IPC_RMID);
		for (int fd = 3; fd < 20; fd++)
			close(fd);
	}
	return 0;
}
