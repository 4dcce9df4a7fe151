/* sites.c - the statistics of sites
 *
 * First the sums over all processes of the run, then one line for each site that was refused. The agent keeps a
 * limited number of those; the sums know them all. A process that outlives the program may still be adding.
 */
#include "tools/report.h"

#include "tools/names.h"

#include <inttypes.h>
#include <stdatomic.h>

enum { SITE_AT = 8 };   /* index of the site in zl_refused_site.bytes */

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void print_sum(FILE *out, const char *indent, const char *what, uint64_t value)
{
	fprintf(out, "%s%-*s %12" PRIu64 "\n", indent, 44 - (indent[0] != '\0' ? 2 : 0), what, value);
}

static void print_refusals(FILE *out, const struct zl_tally *tally)
{
	uint64_t sum = 0;

	for (unsigned verdict = 0; verdict < ZL_VERDICTS; verdict++)
		sum += get(&tally->refused[verdict]);
	print_sum(out, "", "sites kept trapping: not safe to rewrite", sum);
	for (unsigned verdict = 0; verdict < ZL_VERDICTS; verdict++)
		if (get(&tally->refused[verdict]) != 0)
			print_sum(out, "  ", zl_verdict_text(verdict), get(&tally->refused[verdict]));
}

static uint64_t sum_calls(const struct zl_shared *shared)
{
	uint64_t sum = 0;

	for (int slot = 0; slot < ZL_SHARED_SLOTS; slot++)
		for (int number = 0; number < ZL_SHARED_NUMBERS; number++)
			sum += get(&shared->count[slot][number].calls);
	return sum;
}

static void print_site(FILE *out, const struct zl_refused_site *site)
{
	char name[ZL_NAME_SIZE];

	zl_name_of(site->number, name);
	fprintf(out, "%7d  %#14" PRIx64 " ", (int)site->pid, site->address);
	for (size_t i = 0; i < sizeof site->bytes; i++)
		fprintf(out, "%s%02x%s", i == SITE_AT ? "[" : i == SITE_AT + 2 ? "" : " ", site->bytes[i],
			i == SITE_AT + 1 ? "]" : "");
	fprintf(out, "  %-18s %s\n", name, zl_verdict_text(site->verdict));
}

static void print_sites(FILE *out, const struct zl_shared *shared)
{
	uint32_t claimed = atomic_load_explicit(&shared->refused_used, memory_order_relaxed);
	uint32_t kept = claimed < ZL_SHARED_REFUSED ? claimed : ZL_SHARED_REFUSED;

	if (claimed == 0)
		return;
	fprintf(out, "\n%7s  %14s  %-49s %-18s %s\n", "pid", "address", "bytes, the site in brackets", "call", "reason");
	for (uint32_t i = 0; i < kept; i++)
		/* acquire; pairs with the release of `ready` in the agent */
		if (atomic_load_explicit(&shared->refused[i].ready, memory_order_acquire) != 0)
			print_site(out, &shared->refused[i]);
	if (claimed > kept)
		fprintf(out, "and %" PRIu32 " more\n", claimed - kept);
}

void zl_report_sites(FILE *out, const struct zl_shared *shared)
{
	const struct zl_tally *tally = &shared->tally;

	print_sum(out, "", "processes", get(&tally->processes));
	print_sum(out, "", "sites rewritten (call *%rax)", get(&tally->rewrites));
	print_sum(out, "", "sites kept trapping: page zero is not in use", get(&tally->kept));
	print_refusals(out, tally);
	print_sum(out, "", "traps", get(&tally->traps));
	if (shared->count_calls)
		print_sum(out, "", "calls hooked", sum_calls(shared));
	print_sites(out, shared);
}
