/* libgccjit: functions with a system call instruction in them, compiled, run and released again and again. */
#include <libgccjit.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 6, CALLS = 2000, THREADS = 4 };
typedef long (*call_function)(void);

/* long call(void) { long rax; asm volatile("movl $NUMBER, %%eax; syscall" : "=a"(rax) : ...); return rax; } */
static gcc_jit_result *compile(long number, int level)
{
	gcc_jit_context *context = gcc_jit_context_acquire();
	char text[40];

	snprintf(text, sizeof text, "movl $%ld, %%%%eax; syscall", number);
	gcc_jit_context_set_int_option(context, GCC_JIT_INT_OPTION_OPTIMIZATION_LEVEL, level);
	gcc_jit_type *type = gcc_jit_context_get_type(context, GCC_JIT_TYPE_LONG);
	gcc_jit_function *function = gcc_jit_context_new_function(context, NULL, GCC_JIT_FUNCTION_EXPORTED, type,
								  "call", 0, NULL, 0);
	gcc_jit_block *block = gcc_jit_function_new_block(function, NULL);
	gcc_jit_lvalue *rax = gcc_jit_function_new_local(function, NULL, type, "rax");
	gcc_jit_extended_asm *assembly = gcc_jit_block_add_extended_asm(block, NULL, text);

	gcc_jit_extended_asm_add_output_operand(assembly, NULL, "=a", rax);
	gcc_jit_extended_asm_add_clobber(assembly, "rcx");
	gcc_jit_extended_asm_add_clobber(assembly, "r11");
	gcc_jit_extended_asm_set_volatile_flag(assembly, 1);
	gcc_jit_block_end_with_return(block, NULL, gcc_jit_lvalue_as_rvalue(rax));
	gcc_jit_result *result = gcc_jit_context_compile(context);
	gcc_jit_context_release(context);
	return result;
}

static call_function made;
static long wanted;

static void *work(void *count)
{
	for (int i = 0; i < CALLS; i++)
		*(long *)count += made() == wanted;
	return NULL;
}

int main(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		long number = round % 2 ? SYS_getpid : SYS_getppid, counts[THREADS] = {0};
		pthread_t threads[THREADS];
		gcc_jit_result *result = compile(number, round % 4);

		if (!result)
			return 1;
		wanted = number == SYS_getpid ? getpid() : getppid();
		made = (call_function)gcc_jit_result_get_code(result, "call");
		for (int i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, work, &counts[i]);
		for (int i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			printf("round %d, thread %d: %ld\n", round, i, counts[i]);
		}
		gcc_jit_result_release(result);
	}
	return 4;
}
