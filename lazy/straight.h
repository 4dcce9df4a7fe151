/* straight.h - is the instruction before a site a mov of its number, which a jump may take the place of? */
#ifndef ZL_LAZY_STRAIGHT_H
#define ZL_LAZY_STRAIGHT_H

#include "lazy/reading.h"

/* The length, 5 or 7, of the `mov $number,%eax` or `mov $number,%rax` that ends at the site and is proven to be an
 * instruction of its own; 0 if there is none. `number` is the whole rax that the site was executed with. A restorer's
 * mov is none.
 * pre: zl_decoder != NULL. Pure, as zl_judge(), which may have used the reading before. context: SIGSYS */
unsigned zl_straight_mov(struct zl_reading *reading, uint64_t number);

#endif
