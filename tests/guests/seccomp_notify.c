/* seccomp_notify - row 19: SECCOMP_RET_USER_NOTIF: a thread that is not filtered answers the calls of one that is, at known and fresh sites */
#include "seccomp.h"
#include <sys/ioctl.h>

enum { CALLS = 100 };
static int listener = -1;
static pthread_barrier_t barrier;

static void *answer(void *nothing)
{
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < CALLS; i++) {
		struct seccomp_notif call = { 0 };
		struct seccomp_notif_resp result = { 0 };
		CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
		CHECK(call.data.nr == SYS_getppid && (long)call.data.args[0] == i);
		result.id = call.id;
		result.val = 1000 + i;
		if (i % 4 == 3)
			result.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		result.val = i % 4 == 3 ? 0 : result.val;
		CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &result) == 0);
	}
	return nothing;
}

int main(void)
{
	unsigned char *page = map_pages(1, PROT_RW);
	pthread_t thread;
	for (int i = 0; i < 60; i++)
		put_call(page + 16 * i, SYS_getppid);
	protect(page, 1, PROT_RX);
	long parent = getppid();
	pthread_barrier_init(&barrier, NULL, 2);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(call_at(page + 16 * i, 0, 0, 0), parent);
	CHECK(pthread_create(&thread, NULL, answer, NULL) == 0);
	no_new_privileges();
	listener = (int)filter_numbers(SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ALLOW, NUMBERS(SYS_getppid));
	CHECK(listener >= 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < CALLS; i++)
		CHECK_EQ(call_at(page + 16 * (i % 60), i, 0, 0), i % 4 == 3 ? parent : 1000 + i);
	CHECK(pthread_join(thread, NULL) == 0);
	say("%d calls answered", CALLS);
	return 0;
}
