/* jit_uffd_events - rows 7, 8: a thread waits in madvise until the monitor of the memory has read the event
 * (userfaultfd); the monitor changes memory of called code itself before it does so */
#include "life.h"
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>

static void *drop(void *page)
{
	CHECK(madvise(page, CODE_PAGE, MADV_DONTNEED) == 0);
	return NULL;
}

int main(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_EVENT_REMOVE };
	unsigned char *page = new_sites(PROT_RX), *own = new_sites(PROT_RX);
	struct uffdio_register range = { .range = { (uintptr_t)page, CODE_PAGE }, .mode = UFFDIO_REGISTER_MODE_MISSING };
	int monitor = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffd_msg event;
	pthread_t thread;

	alarm(20);
	if (monitor < 0 || ioctl(monitor, UFFDIO_API, &api) != 0)
		SKIP("no userfaultfd with events for this user");
	CHECK(ioctl(monitor, UFFDIO_REGISTER, &range) == 0);
	CHECK(pthread_create(&thread, NULL, drop, page) == 0);
	struct pollfd ready = { .fd = monitor, .events = POLLIN };
	CHECK(poll(&ready, 1, -1) == 1);
	replace(own);
	say("changed memory before the event");
	CHECK(read(monitor, &event, sizeof(event)) == sizeof(event));
	CHECK(event.event == UFFD_EVENT_REMOVE && event.arg.remove.start == (uintptr_t)page);
	CHECK(pthread_join(thread, NULL) == 0);
	say("removed");
	return 0;
}
