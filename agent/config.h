/* config.h - the ZLAZY_ variables */
#ifndef ZL_AGENT_CONFIG_H
#define ZL_AGENT_CONFIG_H

#include "base/types.h"
#include "trampoline/entry.h"
#include "trampoline/zero.h"

enum zl_setting { ZL_SET_AUTO, ZL_SET_ZPOLINE, ZL_SET_JUMP, ZL_SET_TRAP };
enum zl_on_error { ZL_ON_ERROR_STOP, ZL_ON_ERROR_CONTINUE };

struct zl_config {
	const char *hooks;             /* ZLAZY_HOOK, or NULL */
	enum zl_setting tactic;
	enum zl_on_error on_error;
	enum zl_sled sled;
	enum zl_return returns;
	enum zl_vectors vectors;
	bool hooks_vdso;
	const char *stats;             /* ZLAZY_STATS, or NULL */
	bool is_child;                 /* started by a program of this run: no notices */
};

extern struct zl_config zl_config;

/* Read the environment; sets zl_print_to and what exec passes on, too. On bad input: one line, exit 127. @init */
void zl_config_read(char *const *environment);
/* The program runs unhooked, and that has been said: let the programs that it starts know. @init */
void zl_config_continued(char **environment);
/* ZLAZY_TACTIC in words. */
const char *zl_config_tactic(void);

#endif
