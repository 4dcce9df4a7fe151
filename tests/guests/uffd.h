/* uffd.h - memory whose faults a thread of the program answers (userfaultfd), by calls that are fresh sites each time
 *
 * The thread counts what it is asked for in uffd_asked[page]. Where nothing answers any more, SIGALRM ends the guest.
 */
#ifndef GUEST_UFFD_H
#define GUEST_UFFD_H

#include "life.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

enum { UFFD_PAGES = 32, UFFD_EVENTS = 256 };

static int uffd;
static unsigned char *uffd_memory, *uffd_calls;
static volatile int uffd_asked[UFFD_PAGES];
static void *(*uffd_content)(unsigned char *page);   /* fills a page that is missing */

static void uffd_answer(const struct uffd_msg *event, unsigned char *call)
{
	static unsigned char content[CODE_PAGE];
	unsigned long at = event->arg.pagefault.address & -(unsigned long)CODE_PAGE;
	int page = (int)((at - (uintptr_t)uffd_memory) / CODE_PAGE);

	CHECK(event->event == UFFD_EVENT_PAGEFAULT && page >= 0 && page < UFFD_PAGES);
	uffd_asked[page]++;
	if (event->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
		struct uffdio_writeprotect open = { { at, CODE_PAGE }, 0 };
		CHECK_EQ(call_at(call, uffd, UFFDIO_WRITEPROTECT, (long)&open), 0);
		return;
	}
	struct uffdio_copy copy = { at, (uintptr_t)uffd_content(content), CODE_PAGE, 0, 0 };
	long result = call_at(call, uffd, UFFDIO_COPY, (long)&copy);
	CHECK(result == 0 || result == -EEXIST);
}

static void *uffd_body(void *unused)
{
	for (int i = 0; i < UFFD_EVENTS; i++) {
		struct uffd_msg event;
		unsigned char *call = uffd_calls + 32 * i;
		if (call_at(call, uffd, (long)&event, sizeof(event)) == sizeof(event))
			uffd_answer(&event, call + CODE_SIZE);
	}
	FAIL("too many faults");
	return unused;
}

/* Map and register; the caller has said what is missing pages' content. */
GUEST_UNUSED static void uffd_start(unsigned long mode, int protection)
{
	struct uffdio_api api = { UFFD_API, mode & UFFDIO_REGISTER_MODE_WP ? UFFD_FEATURE_PAGEFAULT_FLAG_WP : 0, 0 };
	pthread_t thread;

	alarm(20);
	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) != 0)
		SKIP("no userfaultfd for this user, or an old one");
	uffd_memory = map_pages(UFFD_PAGES, PROT_RW);
	if (mode == UFFDIO_REGISTER_MODE_WP)
		for (int i = 0; i < UFFD_PAGES; i++)
			uffd_content(uffd_memory + i * CODE_PAGE);
	protect(uffd_memory, UFFD_PAGES, protection);
	struct uffdio_register range = { { (uintptr_t)uffd_memory, UFFD_PAGES * CODE_PAGE }, mode, 0 };
	CHECK(ioctl(uffd, UFFDIO_REGISTER, &range) == 0);
	uffd_calls = map_pages(2, PROT_RW);
	for (int i = 0; i < UFFD_EVENTS; i++)
		put_call((unsigned char *)put_call(uffd_calls + 32 * i, SYS_read) + CODE_SIZE, SYS_ioctl);
	protect(uffd_calls, 2, PROT_RX);
	CHECK(pthread_create(&thread, NULL, uffd_body, NULL) == 0);
}

GUEST_UNUSED static void uffd_protect(int page, int pages)
{
	struct uffdio_writeprotect close = { { (uintptr_t)uffd_memory + (unsigned long)page * CODE_PAGE,
		(unsigned long)pages * CODE_PAGE }, UFFDIO_WRITEPROTECT_MODE_WP };
	CHECK(ioctl(uffd, UFFDIO_WRITEPROTECT, &close) == 0);
}

/* Sites all over the page, at its edges, too: around the first and the last the neighbouring page may be missing. */
GUEST_UNUSED static void *fill_to_edges(unsigned char *page)
{
	fill_sites(page);
	put_site(page + 4, true);
	put_site(page + CODE_PAGE - 1, false);
	return page;
}

GUEST_UNUSED static void run_to_edges(unsigned char *page)
{
	for (int again = 0; again < 2; again++) {
		run_site(page + 4, true);
		run_site(page + CODE_PAGE - 1, false);
	}
	run_sites(page);
}

#endif
