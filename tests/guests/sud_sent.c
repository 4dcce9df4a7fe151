/* sud_sent - row 18: another thread sends SIGSEGV and SIGUSR1 again and again while calls are dispatched: each SIGSYS
 * still belongs to the call that it shows. needs the real getpid */
#include "dispatch.h"

enum { ROUNDS = 20000 };
static volatile char selector;
static volatile int handled, sent;
static volatile bool is_over;
static long main_thread;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	(void)signal;
	CHECK(info->si_code == 2 && (long)info->si_call_addr == regs[REG_RIP] && regs[REG_RAX] == SYS_getuid);
	selector = ALLOW;
	regs[REG_RAX] = 5000 + handled++;
}

static void on_sent(int signal, siginfo_t *info, void *context)
{
	char before = selector;
	(void)signal, (void)context;
	CHECK_EQ(info->si_code, SI_TKILL);
	selector = ALLOW;
	CHECK_EQ(raw0(SYS_getuid), getuid());
	sent++;
	selector = before;
}

static void *send(void *data)
{
	while (!is_over) {
		syscall(SYS_tgkill, getpid(), main_thread, SIGSEGV);
		syscall(SYS_tgkill, getpid(), main_thread, SIGUSR1);
		sleep_us(20);
	}
	return data;
}

int main(void)
{
	pthread_t id;
	need_dispatch();
	handle_allowed(SIGSYS, on_sigsys, 0);
	handle_allowed(SIGSEGV, on_sent, 0);
	handle_allowed(SIGUSR1, on_sent, 0);
	main_thread = syscall(SYS_gettid);
	CHECK(pthread_create(&id, NULL, send, NULL) == 0);
	CHECK_EQ(dispatch_outside_allowed(&selector), 0);
	for (int i = 0; i < ROUNDS; i++) {
		selector = BLOCK;
		CHECK_EQ(raw0(SYS_getuid), 5000 + i);
		CHECK(selector == ALLOW && raw0(SYS_getuid) == getuid());
	}
	while (sent < 20)
		raw0(SYS_getuid);
	is_over = true;
	pthread_join(id, NULL);
	CHECK_EQ(handled, ROUNDS);
	say("%d dispatched", handled);
	return 0;
}
