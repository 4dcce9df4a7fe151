// libasmjit: functions with a system call instruction in them, made, run in threads and released; addresses come again.
#include <asmjit/asmjit.h>
#include <cstdio>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace asmjit;
typedef long (*call_function)();

// Some padding, so that the instruction comes to lie at each offset of a cache line.
static call_function make(JitRuntime &runtime, long number, int padding)
{
	CodeHolder code;
	code.init(runtime.environment());
	x86::Assembler assembler(&code);
	for (int i = 0; i < padding; i++)
		assembler.nop();
	assembler.mov(x86::eax, number);
	assembler.syscall();
	assembler.ret();
	call_function made = nullptr;
	return runtime.add(&made, &code) == kErrorOk ? made : nullptr;
}

static long right(JitRuntime &runtime, int rounds)
{
	long count = 0, pid = getpid(), parent = getppid();

	for (int round = 0; round < rounds; round++) {
		std::vector<call_function> all;
		for (int i = 0; i < 64; i++)
			all.push_back(make(runtime, (round + i) % 2 ? SYS_getpid : SYS_getppid, i));
		for (int i = 0; i < 64; i++)
			for (int k = 0; k < 10; k++)
				count += all[i]() == ((round + i) % 2 ? pid : parent);
		for (call_function made : all)
			runtime.release(made);
	}
	return count;
}

// Every thread with a runtime of its own, then all with one; some with two views of the same memory.
static void run(const char *name, const JitAllocator::CreateParams *parameters, bool together)
{
	JitRuntime shared(parameters);
	std::vector<long> counts(4);
	std::vector<std::thread> threads;

	for (long &count : counts)
		threads.emplace_back([&count, &shared, parameters, together] {
			JitRuntime own(parameters);
			count = right(together ? shared : own, 15);
		});
	for (std::thread &thread : threads)
		thread.join();
	for (long count : counts)
		std::printf("%s: %ld\n", name, count);
}

int main()
{
	JitAllocator::CreateParams dual {};

	dual.options = JitAllocatorOptions::kUseDualMapping;
	run("own", nullptr, false);
	run("together", nullptr, true);
	run("two views", &dual, true);
	return 5;
}
