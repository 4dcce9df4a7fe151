/* injected.h - what injector.c (the tracer) and injected.c (its program) agree on */
#ifndef INJECTED_H
#define INJECTED_H

/* Calls before the first signal: the site is rewritten, and what is found out at a first call has been found out. */
enum { WARM_ROUNDS = 3 };

#endif
