/* cfi.h - unwind rules of entry, gate and exit, whose stack pointer is not a plain offset from the caller's */
#ifndef ZL_TRAMPOLINE_CFI_H
#define ZL_TRAMPOLINE_CFI_H

/* DW_CFA_def_cfa_expression: CFA = *(rsp + FRAME_RSP). FRAME_RSP is 216 = 0xd8 0x01 in LEB128. */
#define CFI_CFA_IN_FRAME .cfi_escape 0x0f, 4, 0x77, 0xd8, 0x01, 0x06
/* The same where the frame begins eight bytes below rsp: FRAME_FLAGS is still to be pushed. */
#define CFI_CFA_BEFORE_FRAME .cfi_escape 0x0f, 4, 0x77, 0xd0, 0x01, 0x06
/* DW_CFA_expression for the return address (16): saved at rsp + FRAME_RIP, 208 = 0xd0 0x01. */
#define CFI_RIP_IN_FRAME .cfi_escape 0x10, 16, 3, 0x77, 0xd0, 0x01
/* Both with eight bytes pushed. */
#define CFI_FRAME_PUSHED .cfi_escape 0x0f, 4, 0x77, 0xe0, 0x01, 0x06, 0x10, 16, 3, 0x77, 0xd8, 0x01
/* Where rbx is the frame: CFA, return address, and rbx (3) and r12 (12) saved in it, at 144 and 176. */
#define CFI_CFA_IN_FRAME_OF_RBX .cfi_escape 0x0f, 4, 0x73, 0xd8, 0x01, 0x06
#define CFI_RIP_IN_FRAME_OF_RBX .cfi_escape 0x10, 16, 3, 0x73, 0xd0, 0x01
#define CFI_RBX_R12_IN_FRAME_OF_RBX .cfi_escape 0x10, 3, 3, 0x73, 0x90, 0x01, 0x10, 12, 3, 0x73, 0xb0, 0x01

#endif
