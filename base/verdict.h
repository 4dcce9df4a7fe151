/* verdict.h - why a site is, or is not, rewritten */
#ifndef ZL_BASE_VERDICT_H
#define ZL_BASE_VERDICT_H

enum zl_verdict {
	ZL_OK,                 /* may be rewritten to `call *%rax` */
	ZL_NO_DECODER,         /* no decoder is loaded */
	ZL_INSIDE,             /* the two bytes lie inside another instruction, or nobody can tell */
	ZL_RED_ZONE,           /* the slot that the call would push may hold data or be part of a buffer */
	ZL_TOO_LONG,           /* more code would have to be read than a signal handler should */
	ZL_SIGRETURN,          /* unwinders know the restorer by its bytes */
	ZL_UNWRITABLE,         /* neither /proc/self/mem nor mprotect can write there */
	ZL_NO_BARRIER,         /* threads, and no membarrier to order the two steps */
	ZL_SHARED,             /* shared memory: see ZLAZY_JIT */
	ZL_OPEN,               /* the program can write there: see ZLAZY_JIT */
	ZL_NO_ROOM,            /* page zero is not in use, and a jump has no place */
	ZL_GENERATED,          /* page zero is not in use, and jumps are not for memory without a file: see ZLAZY_JIT */
	ZL_VERDICTS
};

/* How a site is rewritten. */
enum zl_tactic_kind {
	ZL_TACTIC_CALL,        /* `call *%rax`, through page zero */
	ZL_TACTIC_MOV,         /* a jump where the mov before it was */
	ZL_TACTIC_CAVE,        /* a short jump to a jump in padding */
	ZL_TACTIC_KINDS
};

#endif
