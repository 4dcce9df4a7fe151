/* fault_mixture - issue 4, part 7: generated code, threads, forks, a plugin and execs make exact numbers of calls, whatever the
 * kernel refuses: a thread or process that can't be made is none of the program's faults, so its calls are made in place */
#include "code.h"
#include <dlfcn.h>
#include <spawn.h>

extern char **environ;
enum { ROUNDS = 20, THREADS = 4, FORKS = 4, EXECS = 2, REFUSED = 127 };
static char path[512];

/* 50 calls in all: the same place is written and run again, RWX and W^X, and once by fresh memory each time. */
static void generated(void)
{
	unsigned char *page = map_pages(1, PROT_RWX);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(call_at(put_call(page + 64 * i, SYS_getpgrp), 0, 0, 0), getpgrp());
	for (int i = 0; i < 10; i++)
		CHECK_EQ(call_at(page + 64 * i, 0, 0, 0), getpgrp());
	protect(page, 1, PROT_RX);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(call_at(page + 64 * i, 0, 0, 0), getpgrp());
	munmap(page, CODE_PAGE);
	for (int i = 0; i < 20; i++) {
		page = map_pages(1, PROT_RW);
		put_call(page + 8 * i + CODE_SITE, SYS_getpgrp);
		protect(page, 1, PROT_RX);
		CHECK_EQ(call_at(page + 8 * i + CODE_SITE, 0, 0, 0), getpgrp());
		munmap(page, CODE_PAGE);
	}
}

static void *in_thread(void *unused)
{
	for (int i = 0; i < ROUNDS; i++)
		CHECK_EQ(raw1(SYS_getsid, 0), raw1(SYS_getsid, 0));
	return unused;
}

static void threads(void)
{
	pthread_t thread[THREADS];
	bool is_made[THREADS];
	for (int i = 0; i < THREADS; i++)
		is_made[i] = pthread_create(&thread[i], NULL, in_thread, NULL) == 0;
	for (int i = 0; i < THREADS; i++)
		if (is_made[i])
			CHECK(pthread_join(thread[i], NULL) == 0);
		else
			in_thread(NULL);
}

static void in_child(void)
{
	for (int i = 0; i < ROUNDS; i++)
		CHECK(raw0(SYS_getegid) == (long)getgid());
	generated();
}

static void forks(void)
{
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		if (pid > 0) {
			CHECK_EQ(wait_child(pid), 0x100);
			continue;
		}
		in_child();
		if (pid == 0)
			_exit(0);
	}
}

static void plugin(void)
{
	char file[600];
	snprintf(file, sizeof(file), "%.*s/plugin.so", (int)(strrchr(path, '/') - path), path);
	for (int i = 0; i < 3; i++) {
		void *library = dlopen(file, RTLD_NOW);
		if (!library)
			FAIL("%s", dlerror());
		long (*plugin_getuid)(void) = (long (*)(void))dlsym(library, "plugin_getuid");
		for (int again = 0; again < ROUNDS; again++)
			CHECK_EQ(plugin_getuid(), getuid());
		CHECK(dlclose(library) == 0);
	}
}

static void in_program(void)
{
	for (int i = 0; i < ROUNDS; i++)
		CHECK(raw1(SYS_getpgid, 0) == getpgid(0));
}

static void execs(void)
{
	char *words[] = { path, "inner", NULL };
	for (int i = 0; i < EXECS; i++) {
		pid_t pid = -1;
		if (i % 2 == 0 ? (pid = fork()) == 0 : posix_spawn(&pid, path, NULL, NULL, words, environ) != 0) {
			if (pid == 0) {
				execv(path, words);
				_exit(REFUSED);
			}
			pid = -1;
		}
		int status = pid > 0 ? wait_child(pid) : 0x100 | REFUSED;
		if (status == (0x100 | REFUSED))   /* the agent of the new program may say so, too */
			in_program();
		else
			CHECK_EQ(status, 0x100);
	}
}

int main(int count, char **words)
{
	CHECK(realpath("/proc/self/exe", path));
	if (count > 1 && strcmp(words[1], "inner") == 0) {
		in_program();
		return 0;
	}
	generated();
	threads();
	forks();
	plugin();
	execs();
	/* numbers as the count hook has them, with those that libc makes as asked above */
	say("%d:%d %d:%d %d:%d %d:%d %d:%d", SYS_getpgrp, (1 + FORKS) * 2 * 50, SYS_getsid, THREADS * 2 * ROUNDS, SYS_getegid,
	    FORKS * ROUNDS, SYS_getpgid, EXECS * 2 * ROUNDS, SYS_getuid, 3 * 2 * ROUNDS);
	return 0;
}
