/* cfi.h - unwind rules of entry, gate and exit, whose stack pointer is not a plain offset from the caller's */
#ifndef ZL_TRAMPOLINE_CFI_H
#define ZL_TRAMPOLINE_CFI_H

#include "trampoline/frame.h"

/* DW_CFA_def_cfa_expression: CFA = *(rsp + FRAME_RSP). Offsets below 64 are one byte of LEB128. */
#define CFI_CFA_IN_FRAME .cfi_escape 0x0f, 3, 0x77, FRAME_RSP, 0x06
/* The same where the frame begins eight bytes below rsp: FRAME_FLAGS is still to be pushed. */
#define CFI_CFA_BEFORE_FRAME .cfi_escape 0x0f, 3, 0x77, FRAME_RSP-8, 0x06
/* DW_CFA_expression for the return address (16): saved at rsp + FRAME_RIP. */
#define CFI_RIP_IN_FRAME .cfi_escape 0x10, 16, 2, 0x77, FRAME_RIP
/* Both with eight bytes pushed. */
#define CFI_FRAME_PUSHED .cfi_escape 0x0f, 3, 0x77, FRAME_RSP+8, 0x06, 0x10, 16, 2, 0x77, FRAME_RIP+8
#if FRAME_RSP + 8 >= 64 || FRAME_RIP + 8 >= 64 || FRAME_RBX != 208 || FRAME_R12 != 224
#error "offsets as they are encoded here"
#endif
/* Where rbx is the frame: CFA, return address, and rbx (3) and r12 (12) saved in it, at 208 and 224. */
#define CFI_CFA_IN_FRAME_OF_RBX .cfi_escape 0x0f, 3, 0x73, FRAME_RSP, 0x06
#define CFI_RIP_IN_FRAME_OF_RBX .cfi_escape 0x10, 16, 2, 0x73, FRAME_RIP
#define CFI_RBX_R12_IN_FRAME_OF_RBX .cfi_escape 0x10, 3, 3, 0x73, 0xd0, 0x01, 0x10, 12, 3, 0x73, 0xe0, 0x01

#endif
