/* life_plugin - two shared objects for life_dlclose: a page of sites, or, with OWN_CALLS_INSTEAD, of indirect
 * calls that
 * end at the same offsets: of NULL and of what rdi says in turn */
/* Each spot: the end of the call or site is at 16, in a piece of 32 bytes. */
#ifdef OWN_CALLS_INSTEAD
asm(".text; .balign 4096; .globl plugin_code; .type plugin_code,@function; plugin_code:\n"
	".rept 16; .skip 12, 0xcc; xorl %eax,%eax; call *%rax; ret; .balign 32, 0xcc;"
	".skip 11, 0xcc; movq %rdi,%rax; call *%rax; ret; .balign 32, 0xcc; .endr\n"
	".balign 4096, 0xcc; .size plugin_code,.-plugin_code");
#else
asm(".text; .balign 4096; .globl plugin_code; .type plugin_code,@function; plugin_code:\n"
	".rept 16; .skip 9, 0xcc; movl $39,%eax; syscall; ret; .balign 32, 0xcc;"
	".skip 12, 0xcc; movl %edi,%eax; syscall; ret; .balign 32, 0xcc; .endr\n"
	".balign 4096, 0xcc; .size plugin_code,.-plugin_code");
#endif
