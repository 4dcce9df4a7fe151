/* zydis.h - the instruction decoder, made of a Zydis that is loaded by itself, or lives in another namespace */
#ifndef ZL_AGENT_ZYDIS_H
#define ZL_AGENT_ZYDIS_H

/* Look Zydis 4 up through `symbol` and set zl_decoder. Returns 0 or -errno; then zl_decoder is as it was.
 * @init */
int zl_zydis_bind(void *(*symbol)(const char *name));

#endif
