/* zlazy.h - the hook interface of libzlazy.so (ABI version 1)
 *
 * A hook library is an ordinary shared object that defines zlazy_hook_init(). The agent loads it, with a libc
 * of its own, into a private link-map namespace (dlmopen(3)); there it can't see the agent's symbols, so what
 * it may call comes as a table, struct zlazy_api.
 *
 *     #include <zlazy/zlazy.h>
 *     static const struct zlazy_api *api;
 *     static long on_call(struct zlazy_call *call, void *data)
 *     {
 *             return call->number == 39 ? 42 : api->next(call);      // getpid answers 42
 *     }
 *     int zlazy_hook_init(const struct zlazy_api *a, const char *argument, struct zlazy_hook *hook)
 *     {
 *             api = a;
 *             hook->on_call = on_call;
 *             zlazy_want(hook, 39);
 *             return 0;
 *     }
 *
 * Results follow the kernel: a value, or -errno in -4095..-1. errno itself is never set by this interface.
 */
#ifndef ZLAZY_H
#define ZLAZY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZLAZY_ABI_VERSION 1

/* What a library was built for. The agent reads it before it calls zlazy_hook_init(), and refuses a library without it
 * or with another value. Every library that includes this header has it; it must stay exported, like
 * zlazy_hook_init. A library that is not written in C or C++ defines it by itself. */
extern const uint32_t zlazy_hook_abi __attribute__((weak, visibility("default")));
__attribute__((used)) const uint32_t zlazy_hook_abi = ZLAZY_ABI_VERSION;

/* System call numbers that a hook can name one by one; greater ones are wanted all together, by zlazy_want_all(). */
#define ZLAZY_NUMBERS 512

/* What next() answers when a signal of the program is due: the call has not been made. Clean up and return; what
 * on_call() returns then is ignored. The program's handler runs, and the call may be seen again, flagged. A hook that
 * answers this by itself says the same, if signal_pending(); if no signal is due, the program gets -EINTR. */
#define ZLAZY_INTERRUPTED ((long)0x8000000000000001UL)

enum zlazy_abi {
	ZLAZY_ABI_X86_64 = 0,   /* `syscall` */
	ZLAZY_ABI_I386 = 1,     /* `int $0x80`: numbers and arguments of the 32-bit table */
};

enum zlazy_call_flag {
	ZLAZY_CALL_AGAIN = 1,   /* the program makes again a call that this hook has seen interrupted */
};

/* One system call in progress. Valid until on_call() returns. */
struct zlazy_call {
	long number;            /* as the kernel reads it: the low 32 bits of rax; may be changed before next() */
	long arg[6];            /* may be changed before next(); the program's registers keep their own values */
	const void *site;       /* address of the two bytes of the instruction that makes the call */
	uint32_t abi;           /* enum zlazy_abi */
	uint32_t flags;         /* enum zlazy_call_flag, or'ed */
	int32_t thread;         /* thread id, as gettid() gives it */
	int32_t reserved;
};

enum zlazy_registers {
	/* The default: every vector, x87 and mask register survives on_call(), whatever it does. */
	ZLAZY_PRESERVE_ALL = 0,
	/* on_call() and all that it calls are compiled with -mgeneral-regs-only (or the like): nothing else is saved.
	 * It mostly runs on the thread block (fs) of the program's libc, which cancels, makes keys and so on: no libc
	 * function is safe that uses that block, and that is malloc, stdio, locale, pthread_*, and any cancellation point
	 * (write, close, ...) as well. Atomics, memory and next() are; so are system calls made without libc. */
	ZLAZY_GENERAL_ONLY = 1,
};

struct zlazy_hook {
	uint32_t size;          /* sizeof(struct zlazy_hook) of the agent; read-only */
	uint32_t registers;     /* enum zlazy_registers */
	/* Called on the agent's hook stack of the calling thread (120 KiB) for every wanted call. Returns the
	 * result that the program gets. It may call any function of its own libc, block, take locks; it need not
	 * be async-signal-safe, because no handler of the program runs while it does. System calls that it makes
	 * reach no hook. On every thread of the program it has thread-local variables, errno and pthread keys of its
	 * own (not with ZLAZY_GENERAL_ONLY: see there); what zlazy_hook_init() has put there stays on the main thread,
	 * every other begins anew. No destructor of theirs runs when a thread of the program ends. While it blocks in a
	 * call of its own, signals that the program handles wait.
	 * Threads that a hook has made don't exist in a forked child. When the program forks, the library's libc forks,
	 * too: malloc and stdio work in the child, and handlers of pthread_atfork() run, in parent and child, as parts
	 * of the fork's own call, without a call of on_call(). That is inside next() where the hook wants the fork:
	 * hold no lock over it that such a handler takes, nor over a call that may block, or no thread can fork. The
	 * handlers must not fork, and those of the child must make no threads.
	 * At the end of the process nothing of the library runs: no destructor, no atexit() function, and stdio is not
	 * flushed. Flush after each piece of output, or in the call that ends the process (exit_group). */
	long (*on_call)(struct zlazy_call *call, void *data);
	void *data;             /* handed to on_call() */
	uint64_t wanted[ZLAZY_NUMBERS / 64];  /* bit per x86-64 number; see zlazy_want() */
	uint32_t wants_others;  /* nonzero: numbers from ZLAZY_NUMBERS up too, and every `int $0x80` */
	uint32_t reserved;
};

/* The agent's functions. Fields are only ever added at the end: check `size` before you use a later one. */
struct zlazy_api {
	uint32_t version;       /* ZLAZY_ABI_VERSION of the agent */
	uint32_t size;          /* sizeof(struct zlazy_api) of the agent */

	/* Go on: the next hook inwards that wants call->number, and in the end the kernel. Returns the result,
	 * -errno, or ZLAZY_INTERRUPTED. May be called more than once, or not at all. Does not return from a
	 * successful execve, exit, exit_group or rt_sigreturn; children of fork, vfork and clone never return
	 * into a hook. Only from on_call(), on its thread, with its call. */
	long (*next)(struct zlazy_call *call);

	/* 1 if a signal that the program handles waits for this call to end, else 0. For hooks that do long work
	 * or block by themselves. Only from on_call(). */
	int (*signal_pending)(const struct zlazy_call *call);

	/* The name of a system call of `abi` ("read"), or NULL for a number without one; constant. Thread-safe. */
	const char *(*name)(long number, uint32_t abi);

	/* Write "zlazy: text\n" to where the agent's notices go (stderr, or the file of ZLAZY_LOG), ZLAZY_QUIET or
	 * not, in one write of at most 1000 bytes; control characters become '?'. Thread-safe. */
	void (*log)(const char *text);
};

/* What a hook library defines. `argument` is the text after the colon of ZLAZY_HOOK=path:argument ("" if none);
 * it stays valid. `hook` comes zeroed but for `size`: set on_call, and what it wants. Runs once a process image,
 * before the program's own constructors, on the program's main thread. Returns 0; or -errno, or any other nonzero
 * value, and then the program is not started (exit status 127). It must not start threads: the agent is not there for
 * them yet. The first call of on_call may.
 *
 * The environment that the library's libc has (getenv(), TZ, what system() hands on) is a copy of the program's from
 * its start, less LD_PRELOAD and the ZLAZY_ variables; what the program changes later does not show there. Programs
 * that hook code starts are not hooked. Constructors of the library get no
 * arguments of the program: argc is 0, argv is NULL. */
int zlazy_hook_init(const struct zlazy_api *api, const char *argument, struct zlazy_hook *hook);

/* Ask for one number of the x86-64 table (0..ZLAZY_NUMBERS-1; others are ignored). */
static inline void zlazy_want(struct zlazy_hook *hook, long number)
{
	if (number >= 0 && number < ZLAZY_NUMBERS)
		hook->wanted[number / 64] |= (uint64_t)1 << (number % 64);
}

/* Ask for every call of both ABIs. */
static inline void zlazy_want_all(struct zlazy_hook *hook)
{
	for (int i = 0; i < ZLAZY_NUMBERS / 64; i++)
		hook->wanted[i] = ~(uint64_t)0;
	hook->wants_others = 1;
}

#ifdef __cplusplus
}
#endif
#endif
