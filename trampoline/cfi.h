/* cfi.h - unwind rules of entry, gate and exit, whose stack pointer is not a plain offset from the caller's */
#ifndef ZL_TRAMPOLINE_CFI_H
#define ZL_TRAMPOLINE_CFI_H

/* DW_CFA_def_cfa_expression: CFA = *(rsp + FRAME_RSP). FRAME_RSP is 208 = 0xd0 0x01 in LEB128. */
#define CFI_CFA_IN_FRAME .cfi_escape 0x0f, 4, 0x77, 0xd0, 0x01, 0x06
/* DW_CFA_expression for the return address (16): saved at rsp + FRAME_RIP, 200 = 0xc8 0x01. */
#define CFI_RIP_IN_FRAME .cfi_escape 0x10, 16, 3, 0x77, 0xc8, 0x01
/* Both with eight bytes pushed. */
#define CFI_FRAME_PUSHED .cfi_escape 0x0f, 4, 0x77, 0xd8, 0x01, 0x06, 0x10, 16, 3, 0x77, 0xd0, 0x01
/* CFA = *((rsp & -SLOT_SIZE) + SLOT_BLOCK + BLOCK_RSP) + 8: the stack is the agent's, the frame not yet filled.
 * 0x3e028 = 0xa8 0xc0 0x0f in LEB128. */
#define CFI_CFA_IN_BLOCK .cfi_escape 0x0f, 15, 0x77, 0, 0x0d, 0x00, 0x00, 0xfc, 0xff, 0x1a, \
	0x23, 0xa8, 0xc0, 0x0f, 0x06, 0x23, 8

#endif
