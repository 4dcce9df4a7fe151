/* traps.S - the two traps that the agent sets itself
 *
 * zl_null_trap      a call that came through page zero, and not from a site, with every register of the program's
 * zl_deliver_trap   a call has ended, and a signal is to be delivered
 *
 * Outside the gate, so that the kernel hands the whole program state, vector registers included, to the SIGSYS handler.
 */
	.text
	.globl	zl_null_trap, zl_null_trap_after, zl_deliver_trap, zl_deliver_trap_after
	.hidden	zl_null_trap, zl_null_trap_after, zl_deliver_trap, zl_deliver_trap_after
	.type	zl_null_trap, @function
zl_null_trap:
	.cfi_startproc
	syscall
zl_null_trap_after:
	ud2
	.cfi_endproc
	.size	zl_null_trap, . - zl_null_trap
	.type	zl_deliver_trap, @function
zl_deliver_trap:
	syscall
zl_deliver_trap_after:
	ud2
	.size	zl_deliver_trap, . - zl_deliver_trap

	.section .note.GNU-stack, "", @progbits
