/* describe.c - see describe.h */
#include "agent/describe.h"
#include "agent/config.h"
#include "agent/hooks.h"
#include "base/print.h"
#include "base/raw.h"
#include "lazy/decoder.h"
#include "lazy/tactic.h"
#include "lazy/trap.h"
#include "trampoline/entry.h"
#include "trampoline/zero.h"
#include <linux/fcntl.h>
#include "base/poison.h"

static void put_program(struct zl_line *line)
{
	char path[512];
	long size = zl_raw(__NR_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof(path));

	if (zl_is_error(size))
		zl_put(line, "(no /proc)");
	else
		zl_put_bytes(line, path, (size_t)size);
}

static void put_tactic(struct zl_line *line, const char *why_trapping)
{
	static const char *const sleds[] = {
		[ZL_SLED_JUMP] = ", jump", [ZL_SLED_SHORT] = ", short", [ZL_SLED_NOP] = ", nop",
	};

	if (!zl_may_rewrite) {
		zl_put(line, ": tactic trap (");
		zl_put(line, why_trapping);
		zl_put(line, ")");
		return;
	}
	zl_put(line, zl_tactics.may_call ? ": tactic zpoline (ZLAZY_TACTIC=" : ": tactic jump (ZLAZY_TACTIC=");
	zl_put(line, zl_config_tactic());
	zl_put(line, ")");
	if (zl_tactics.may_call) {
		zl_put(line, sleds[zl_zero_sled()]);
		zl_put(line, " sled, second mapping ");
		zl_put_hex(line, zl_zero_second_mapping());
	}
	zl_put(line, zl_decoder ? ", decoder Zydis" : ", no decoder: every site keeps trapping");
}

static void put_vectors(struct zl_line *line)
{
	static const char *const words[] = {
		[VECTOR_FXSAVE] = "fxsave", [VECTOR_XSAVE] = "xsave ", [VECTOR_XSAVEC] = "xsavec ",
		[VECTOR_PARTS] = "by component, of ",
	};

	zl_put(line, ", all registers kept (");
	zl_put(line, words[zl_vector_kind]);
	if (zl_vector_mask)
		zl_put_hex(line, zl_vector_mask);
	zl_put(line, ")");
}

static void put_hook(struct zl_line *line, const struct zlazy_hook *hook, const char *name)
{
	long wanted = 0;

	for (unsigned n = 0; n < ZLAZY_NUMBERS; n++)
		wanted += (long)(hook->wanted[n / 64] >> n % 64 & 1);
	zl_put(line, "; hook ");
	zl_put(line, name);
	zl_put(line, ": ");
	zl_put_decimal(line, wanted);
	zl_put(line, hook->wants_others ? " numbers and others" : " numbers");
	if (hook->registers == ZLAZY_GENERAL_ONLY)
		zl_put(line, ", general registers");
	else
		put_vectors(line);
}

void zl_describe_start(const char *why_trapping)
{
	struct zl_line line = { 0 };

	if (!zl_begin_debug(&line, 1))
		return;
	put_program(&line);
	put_tactic(&line, why_trapping);
	if (!zl_hooks.count)
		zl_put(&line, "; no hook");
	for (unsigned i = 0; i < zl_hooks.count; i++)
		put_hook(&line, &zl_hooks.hook[i], zl_hooks.name[i]);
	zl_notice(&line);
}
