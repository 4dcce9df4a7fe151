/* plugin_relocated_code - for plugin_relocated: relocations in the code itself, beside its system calls, so that the
 * dynamic linker makes the code writable for a while */
asm(".text; .globl relocated_call; .type relocated_call,@function\n"
	"relocated_call: movabsq $relocated_data, %rcx; movl $102, %eax; syscall; ret\n"
	".globl relocated_address; .type relocated_address,@function\n"
	"relocated_address: movabsq $relocated_data, %rax; ret\n"
	".data; .globl relocated_data; .type relocated_data,@object; relocated_data: .quad 4711; .size relocated_data,8\n"
	".text");
