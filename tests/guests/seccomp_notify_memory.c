/* seccomp_notify_memory - rows 2, 19: a thread waits in mremap until its supervisor lets it
 * (SECCOMP_RET_USER_NOTIF), who changes memory of called code itself before it does so */
#include "life.h"
#include "seccomp.h"
#include <sys/ioctl.h>

static int listener;
static unsigned char *page, *target;
static pthread_barrier_t barrier;

static void *move(void *unused)
{
	listener = (int)filter_numbers(SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ALLOW,
		NUMBERS(SYS_mremap));
	CHECK(listener >= 0);
	pthread_barrier_wait(&barrier);
	CHECK(mremap(page, CODE_PAGE, CODE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
	return unused;
}

int main(void)
{
	struct seccomp_notif call = { 0 };
	unsigned char *own = new_sites(PROT_RX);
	pthread_t thread;

	alarm(20);
	page = new_sites(PROT_RX);
	target = map_pages(1, PROT_NONE);
	no_new_privileges();
	pthread_barrier_init(&barrier, NULL, 2);
	CHECK(pthread_create(&thread, NULL, move, NULL) == 0);
	pthread_barrier_wait(&barrier);
	CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
	CHECK_EQ(call.data.nr, SYS_mremap);
	replace(own);
	say("changed memory before the answer");
	struct seccomp_notif_resp answer = { .id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	run_sites(target);
	say("moved");
	return 0;
}
