/* clock.c - waits in many ways, for tests/test_vdso.py, which scales its time by examples/clock.c
 *
 *     clock waits MS         each way to wait for MS milliseconds: "name how long it took by the program's clock"
 *     clock left MS          what the kernel says is left of MS milliseconds, at most a third of them later
 *     clock agree N          CLOCK_REALTIME and CLOCK_MONOTONIC in nanoseconds, and again in N programs, one after the
 *                            other executed with an empty environment
 */
#include "../guests/guest.h"
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/timerfd.h>

static long ms;

static long long now(clockid_t clock)
{
	struct timespec time;
	CHECK(clock_gettime(clock, &time) == 0);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static struct timespec span(void)
{
	return (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
}

/* `ms` from now on a clock */
static struct timespec point(clockid_t clock)
{
	long long time = now(clock) + ms * 1000000LL;
	return (struct timespec){ time / 1000000000, time % 1000000000 };
}

static void none(int signal)
{
	(void)signal;
}

/* Blocked until here, so that none is missed that comes early. */
static void wait_alarm(void)
{
	sigset_t set;
	sigemptyset(&set);
	CHECK(sigsuspend(&set) == -1 && errno == EINTR);
}

static void do_nanosleep(void)
{
	struct timespec time = span();
	CHECK(nanosleep(&time, NULL) == 0);
}

static void do_clock_nanosleep(void)
{
	struct timespec time = span();
	CHECK(clock_nanosleep(CLOCK_REALTIME, 0, &time, NULL) == 0);
}

static void do_clock_nanosleep_monotonic(void)
{
	struct timespec time = point(CLOCK_MONOTONIC);
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == 0);
}

static void do_clock_nanosleep_wall(void)
{
	struct timespec time = point(CLOCK_REALTIME);
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL) == 0);
}

static void do_select(void)
{
	struct timeval time = { ms / 1000, ms % 1000 * 1000 };
	CHECK(syscall(SYS_select, 0, NULL, NULL, NULL, &time) == 0);
	CHECK(time.tv_sec == 0 && time.tv_usec == 0);
}

static void do_pselect(void)
{
	struct timespec time = span();
	CHECK(pselect(0, NULL, NULL, NULL, &time, NULL) == 0);
}

static void do_poll(void)
{
	CHECK(poll(NULL, 0, (int)ms) == 0);
}

static void do_ppoll(void)
{
	struct timespec time = span();
	CHECK(ppoll(NULL, 0, &time, NULL) == 0);
}

static void do_epoll_wait(void)
{
	struct epoll_event event;
	int fd = epoll_create1(0);
	CHECK(epoll_wait(fd, &event, 1, (int)ms) == 0);
	close(fd);
}

static void do_sigtimedwait(void)
{
	struct timespec time = span();
	sigset_t set;
	sigemptyset(&set);
	CHECK(sigtimedwait(&set, NULL, &time) == -1 && errno == EAGAIN);
}

static void do_semtimedop(void)
{
	struct timespec time = span();
	struct sembuf wait = { 0, -1, 0 };
	int id = semget(IPC_PRIVATE, 1, 0600);
	CHECK(semtimedop(id, &wait, 1, &time) == -1 && errno == EAGAIN);
	semctl(id, 0, IPC_RMID);
}

static void do_mq_timedreceive(void)
{
	struct timespec time = point(CLOCK_REALTIME);
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	char name[64], message[8];
	snprintf(name, sizeof(name), "/zlazy-clock-%d", getpid());
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	CHECK(queue >= 0);
	mq_unlink(name);
	CHECK(mq_timedreceive(queue, message, sizeof(message), NULL, &time) == -1 && errno == ETIMEDOUT);
	mq_close(queue);
}

static void do_futex(void)
{
	struct timespec time = span();
	int word = 0;
	CHECK(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0) == -1 && errno == ETIMEDOUT);
}

static void do_futex_bitset(void)
{
	struct timespec time = point(CLOCK_MONOTONIC);
	int word = 0;
	CHECK(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &time, NULL, -1) == -1 && errno == ETIMEDOUT);
}

static void do_semaphore(void)
{
	struct timespec time = point(CLOCK_REALTIME);
	sem_t semaphore;
	sem_init(&semaphore, 0, 0);
	CHECK(sem_timedwait(&semaphore, &time) == -1 && errno == ETIMEDOUT);
}

static void wait_condition(clockid_t clock)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_condattr_t attributes;
	pthread_cond_t condition;
	struct timespec time = point(clock);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, clock);
	pthread_cond_init(&condition, &attributes);
	pthread_mutex_lock(&mutex);
	CHECK(pthread_cond_timedwait(&condition, &mutex, &time) == ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
}

static void do_condition(void)
{
	wait_condition(CLOCK_REALTIME);
}

static void do_condition_monotonic(void)
{
	wait_condition(CLOCK_MONOTONIC);
}

/* In a child, because only another thread's mutex can be waited for. */
static void do_mutex_pi(void)
{
	pthread_mutex_t *mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec time = point(CLOCK_REALTIME);
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	CHECK(mutex != MAP_FAILED && pthread_mutex_init(mutex, &attributes) == 0 && pthread_mutex_lock(mutex) == 0);
	pid_t child = fork();
	if (child == 0)
		_exit(pthread_mutex_timedlock(mutex, &time) == ETIMEDOUT ? 0 : 1);
	CHECK_EQ(wait_child(child), 0x100);
}

static void wait_timerfd(clockid_t clock, int flags)
{
	struct itimerspec time = { { 0, 0 }, flags ? point(clock) : span() };
	uint64_t times;
	int fd = timerfd_create(clock, 0);
	CHECK(timerfd_settime(fd, flags, &time, NULL) == 0 && read(fd, &times, 8) == 8 && times == 1);
	close(fd);
}

static void do_timerfd(void)
{
	wait_timerfd(CLOCK_MONOTONIC, 0);
}

static void do_timerfd_monotonic(void)
{
	wait_timerfd(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME);
}

static void do_timerfd_wall(void)
{
	wait_timerfd(CLOCK_REALTIME, TFD_TIMER_ABSTIME);
}

static void wait_timer(clockid_t clock, int flags)
{
	struct itimerspec time = { { 0, 0 }, flags ? point(clock) : span() };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	timer_t timer;
	CHECK(timer_create(clock, &event, &timer) == 0 && timer_settime(timer, flags, &time, NULL) == 0);
	wait_alarm();
	timer_delete(timer);
}

static void do_timer(void)
{
	wait_timer(CLOCK_MONOTONIC, 0);
}

static void do_timer_monotonic(void)
{
	wait_timer(CLOCK_MONOTONIC, TIMER_ABSTIME);
}

static void do_timer_wall(void)
{
	wait_timer(CLOCK_REALTIME, TIMER_ABSTIME);
}

static void do_setitimer(void)
{
	struct itimerval time = { { 0, 0 }, { ms / 1000, ms % 1000 * 1000 } };
	CHECK(setitimer(ITIMER_REAL, &time, NULL) == 0);
	wait_alarm();
}

static void do_alarm(void)
{
	CHECK(alarm((unsigned)(ms + 999) / 1000) == 0);
	wait_alarm();
}

static const struct { const char *name; void (*wait)(void); } ways[] = {
	{ "nanosleep", do_nanosleep }, { "clock_nanosleep", do_clock_nanosleep },
	{ "clock_nanosleep_monotonic", do_clock_nanosleep_monotonic }, { "clock_nanosleep_wall", do_clock_nanosleep_wall },
	{ "select", do_select }, { "pselect", do_pselect }, { "poll", do_poll }, { "ppoll", do_ppoll },
	{ "epoll_wait", do_epoll_wait }, { "sigtimedwait", do_sigtimedwait }, { "semtimedop", do_semtimedop },
	{ "mq_timedreceive", do_mq_timedreceive }, { "futex", do_futex }, { "futex_bitset", do_futex_bitset },
	{ "semaphore", do_semaphore }, { "condition", do_condition }, { "condition_monotonic", do_condition_monotonic },
	{ "mutex_pi", do_mutex_pi }, { "timerfd", do_timerfd }, { "timerfd_monotonic", do_timerfd_monotonic },
	{ "timerfd_wall", do_timerfd_wall }, { "timer", do_timer }, { "timer_monotonic", do_timer_monotonic },
	{ "timer_wall", do_timer_wall }, { "setitimer", do_setitimer }, { "alarm", do_alarm },
};

static void wait_all(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		long long start = now(CLOCK_MONOTONIC), wall = now(CLOCK_REALTIME), took, wall_took;
		ways[i].wait();
		took = now(CLOCK_MONOTONIC) - start;
		wall_took = now(CLOCK_REALTIME) - wall;
		say("%s %lld %lld", ways[i].name, took / 1000000, wall_took / 1000000);
	}
}

/* An alarm comes after a third of the time, and again, should the first be early. */
static void set_third(void)
{
	struct timeval third = { ms / 3 / 1000, ms / 3 % 1000 * 1000 };
	CHECK(setitimer(ITIMER_REAL, &(struct itimerval){ third, third }, NULL) == 0);
}

static void show_left(void)
{
	struct timespec time = span(), left = { 0 };
	struct timeval day = { ms / 1000, ms % 1000 * 1000 };
	struct itimerval timer = { { 0, 0 }, { ms / 1000, ms % 1000 * 1000 } };
	struct itimerspec set = { { 0, 0 }, span() }, got;
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	set_third();
	CHECK(nanosleep(&time, &left) == -1 && errno == EINTR);
	say("nanosleep %ld", left.tv_sec * 1000 + left.tv_nsec / 1000000);
	set_third();
	CHECK(select(0, NULL, NULL, NULL, &day) == -1 && errno == EINTR);
	say("select %ld", day.tv_sec * 1000 + day.tv_usec / 1000);
	CHECK(timerfd_settime(fd, 0, &set, NULL) == 0);
	set_third();
	pause();
	CHECK(timerfd_gettime(fd, &got) == 0);
	say("timerfd %ld", got.it_value.tv_sec * 1000 + got.it_value.tv_nsec / 1000000);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	time = (struct timespec){ ms / 3 / 1000, ms / 3 % 1000 * 1000000 };
	CHECK(nanosleep(&time, NULL) == 0 && getitimer(ITIMER_REAL, &timer) == 0);
	say("getitimer %ld", timer.it_value.tv_sec * 1000 + timer.it_value.tv_usec / 1000);
	CHECK(setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, &timer) == 0);
	say("setitimer %ld", timer.it_value.tv_sec * 1000 + timer.it_value.tv_usec / 1000);
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	ms = atol(argv[2]);
	CHECK(signal(SIGALRM, none) != SIG_ERR);
	if (strcmp(argv[1], "waits") == 0)
		wait_all();
	else if (strcmp(argv[1], "left") == 0)
		show_left();
	else {
		char rounds[32], *const words[] = { argv[0], argv[1], rounds, NULL };
		snprintf(rounds, sizeof(rounds), "%ld", ms - 1);
		say("%lld %lld", now(CLOCK_REALTIME), now(CLOCK_MONOTONIC));
		if (ms > 0)
			execve(argv[0], words, (char *[]){ NULL });
	}
	return 0;
}
