/* vec_children - rows 10, 14: a child of fork, vfork and clone, process and thread, has each register of each component
 * of its parent, and so has the parent, whatever set of components is in use. (AMX tiles a child does not inherit.) */
#include "vectors.h"

/* The child goes on with v->other, which has no other. */
#define CHOOSE "testq %rax,%rax; jnz 1f; movq 88(%rbx),%rbx; 1:\n"
#define END "cmpq $0,88(%rbx); jne 2f; andq $-16,%rsp; movq %rbx,%rdi; call check_child; ud2; 2:\n"
VECTORS_ROUTINE(by_cave, "movq 32(%rbx),%rax; movq %rcx,%r10; syscall\n" PADDING CHOOSE, END);
VECTORS_ROUTINE(by_mov, "movq %rcx,%r10; movl $56,%eax; syscall\n" CHOOSE, END);   /* clone */

static struct vectors *parent, *child;   /* in shared memory */
static char stack[65536] __attribute__((aligned(64)));
static volatile int thread_there;

__attribute__((used)) void check_child(struct vectors *v)
{
	for (unsigned i = 0; i < COMPONENTS; i++)
		if (v->mask & ~AMX & BIT(i) && !vectors_same(v->after, parent->before, i))
			v->nr = (long)i + 1000;
	if (v->in_use_after & ~parent->in_use_before & 7 << OPMASKS)
		v->nr = (long)(v->in_use_after & ~parent->in_use_before) + 10000;
	if (v->nr == -1)
		v->nr = 0;
	raw1(SYS_exit, 0);
}

static void try(const char *name, unsigned state, long nr, unsigned long flags, bool own_stack)
{
	bool thread = flags & CLONE_THREAD;
	vectors_fill(parent, vectors_state(parent, state), state, false);
	parent->nr = nr;
	child->nr = -1;
	thread_there = thread;
	memcpy(parent->arg, (long[]){ (long)flags, own_stack ? (long)(stack + sizeof(stack) - 1024) : 0, 0,
		(long)&thread_there }, 4 * sizeof(long));
	nr == SYS_clone && state % 2 ? by_mov(parent) : by_cave(parent);
	CHECK(parent->result > 0);
	while (thread_there)
		sched_yield();
	if (!thread)
		CHECK_EQ(wait_child((pid_t)parent->result), 0x100);
	if (child->nr != 0)
		FAIL("%s: child has another component: %ld (1000 + number, 10000 + those in use; state %u)", name, child->nr, state);
	vectors_check_loaded(parent);
	vectors_check(parent, parent->before, ~0ul, name);
	vectors_check_unused(parent, 7 << OPMASKS | AMX, name);
}

int main(void)
{
	uint64_t mask = vectors_start();
	parent = mmap(NULL, 2 * sizeof(*parent), PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(parent != MAP_FAILED);
	child = parent + 1;
	parent->mask = child->mask = mask;
	parent->other = child;
	for (unsigned state = 0; state < 64; state++) {
		try("fork", state, SYS_fork, 0, false);
		try("vfork", state, SYS_vfork, 0, false);
		try("fork by clone", state, SYS_clone, SIGCHLD, false);
		try("vfork by clone", state, SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, false);
		try("clone", state, SYS_clone, CLONE_VM | SIGCHLD, true);
		try("thread", state, SYS_clone, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			CLONE_CHILD_CLEARTID, true);
	}
	say("components %#lx inherited", mask);
	return 0;
}
