/* operand.h - what may be a memory operand under rsp or rbp, found in the bytes alone */
#ifndef ZL_LAZY_OPERAND_H
#define ZL_LAZY_OPERAND_H

#include "lazy/judge.h"

struct zl_operand {
	unsigned at;           /* of its ModRM byte */
	bool by_rbp;           /* else by rsp */
	bool is_address;       /* of a lea, if of anything */
	bool is_scaled;        /* the true displacement may be that many times 2, 4 ... 64 */
	int32_t displacement;  /* negative */
};

/* The first one in [from, to). False: no instruction there has a negative displacement from rsp or rbp, wherever
 * instructions begin. */
bool zl_operand_find(const struct zl_code *code, unsigned from, unsigned to, struct zl_operand *operand);

#endif
