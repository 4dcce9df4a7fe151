/* sites.c - the statistics of sites
 *
 * First the sums over all processes of the run, then one line for each place at which sites were refused, most traps
 * first. The agents keep a limited number of those; the sums know them all. A process that outlives the program may
 * still be adding, so the sums may not fit together to the last one.
 */
#include "tools/report.h"

#include "tools/names.h"
#include "tools/places.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void print_sum(FILE *out, const char *indent, const char *what, uint64_t value)
{
	fprintf(out, "%s%-*s %12" PRIu64 "\n", indent, 44 - (indent[0] != '\0' ? 2 : 0), what, value);
}

static uint64_t sum_refused(const struct zl_tally *tally)
{
	uint64_t sum = 0;

	for (unsigned verdict = 0; verdict < ZL_VERDICTS; verdict++)
		sum += get(&tally->refused[verdict]);
	return sum;
}

static uint64_t sum_rewrites(const struct zl_tally *tally)
{
	uint64_t sum = 0;

	for (unsigned kind = 0; kind < ZL_TACTIC_KINDS; kind++)
		sum += get(&tally->rewrites[kind]);
	return sum;
}

static void print_rewrites(FILE *out, const struct zl_tally *tally)
{
	static const char *const words[ZL_TACTIC_KINDS] = {
		[ZL_TACTIC_CALL] = "call *%rax", [ZL_TACTIC_MOV] = "jump at its mov", [ZL_TACTIC_CAVE] = "jump by a cave",
	};

	print_sum(out, "", "sites rewritten", sum_rewrites(tally));
	for (unsigned kind = 0; kind < ZL_TACTIC_KINDS; kind++)
		if (get(&tally->rewrites[kind]) != 0)
			print_sum(out, "  ", words[kind], get(&tally->rewrites[kind]));
}

static void print_refusals(FILE *out, const struct zl_tally *tally)
{
	print_sum(out, "", "sites kept trapping: not safe to rewrite", sum_refused(tally));
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

/* The sites of the list, in memory of the command's own: those that are the same in one. Returns how many. */
static size_t collect(const struct zl_shared *shared, struct zl_refused_site *to)
{
	size_t used = 0;

	for (size_t i = 0; i < ZL_SHARED_REFUSED; i++) {
		const struct zl_refused_site *from = &shared->refused[i];
		size_t at = 0;

		/* acquire; pairs with the release in lazy/refused.c */
		if (atomic_load_explicit(&from->state, memory_order_acquire) != ZL_REFUSED_READY)
			continue;
		while (at < used && !zl_refused_is_same(&to[at], from))
			at++;
		if (at == used) {
			memcpy(&to[used++], from, sizeof *from);
			to[at].sites = to[at].traps = 0;
		}
		to[at].sites += get(&from->sites);
		to[at].traps += get(&from->traps);
	}
	return used;
}

/* For qsort: most traps first. */
static int compare(const void *left, const void *right)
{
	const struct zl_refused_site *a = left, *b = right;

	if (a->traps != b->traps)
		return a->traps < b->traps ? 1 : -1;
	if (a->sites != b->sites)
		return a->sites < b->sites ? 1 : -1;
	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* Bytes that could not be read are "..". */
static void print_bytes(FILE *out, const struct zl_refused_site *site)
{
	for (size_t i = 0; i < sizeof site->bytes; i++) {
		fputs(i == ZL_REFUSED_AT ? "[" : i == ZL_REFUSED_AT + 2 ? "" : " ", out);
		if (i < site->first || i >= site->end)
			fputs("..", out);
		else
			fprintf(out, "%02x", site->bytes[i]);
		fputs(i == ZL_REFUSED_AT + 1 ? "]" : "", out);
	}
}

static void print_site(FILE *out, const struct zl_refused_site *site)
{
	char name[ZL_NAME_SIZE], place[ZL_PLACE_SIZE];

	zl_name_of(site->number, name);
	zl_place_of(site, place);
	fprintf(out, "%12" PRIu64 " %8" PRIu64 " ", get(&site->traps), get(&site->sites));
	print_bytes(out, site);
	fprintf(out, "  %-18s %-42s %s\n", name, zl_verdict_text(site->verdict), place);
}

static void print_sites(FILE *out, const struct zl_shared *shared)
{
	struct zl_refused_site *sites = malloc(sizeof shared->refused);
	size_t used = sites != NULL ? collect(shared, sites) : 0;

	if (used != 0) {
		qsort(sites, used, sizeof sites[0], compare);
		fprintf(out, "\n%12s %8s %-49s %-18s %-42s %s\n", "traps", "sites", "  bytes, the site in brackets", "call",
			"reason", "place");
	}
	for (size_t i = 0; i < used; i++)
		print_site(out, &sites[i]);
	if (get(&shared->unlisted) != 0)
		fprintf(out, "and %" PRIu64 " more sites\n", get(&shared->unlisted));
	free(sites);
}

/* Why there were traps. The rest: those who came while the site was being rewritten, or could not be decided on. */
static void print_traps(FILE *out, const struct zl_tally *tally)
{
	uint64_t all = get(&tally->traps), first = sum_rewrites(tally) + get(&tally->kept) + sum_refused(tally);
	const struct { const char *what; uint64_t value; } kinds[] = {
		{ "first calls of these sites", first },
		{ "at sites not safe to rewrite", get(&tally->at_refused) },
		{ "at sites kept trapping", get(&tally->at_kept) },
		{ "past a mov that is a jump", get(&tally->at_straight) },
		{ "rt_sigreturn", get(&tally->at_sigreturn) },
		{ "another thread was faster", get(&tally->lost_races) },
	};
	uint64_t rest = all;

	print_sum(out, "", "traps", all);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		rest -= kinds[i].value < rest ? kinds[i].value : rest;
		if (kinds[i].value != 0)
			print_sum(out, "  ", kinds[i].what, kinds[i].value);
	}
	if (rest != 0)
		print_sum(out, "  ", "not decided yet", rest);
	if (get(&tally->int80) != 0)
		print_sum(out, "", "traps of int $0x80", get(&tally->int80));
}

/* Of a build for fault injection. */
static void print_own_calls(FILE *out, const struct zl_own_calls *own)
{
	char what[64];

	for (unsigned call = 0; call < ZL_OWN_CALLS; call++) {
		snprintf(what, sizeof what, "the agent's own: %s", zl_own_call_name(call));
		if (get(&own->made[call]) != 0)
			print_sum(out, "", what, get(&own->made[call]));
		if (get(&own->failed[call]) != 0)
			print_sum(out, "  ", "made to fail", get(&own->failed[call]));
	}
}

void zl_report_sites(FILE *out, const struct zl_shared *shared)
{
	const struct zl_tally *tally = &shared->tally;

	print_sum(out, "", "processes", get(&tally->processes));
	print_rewrites(out, tally);
	print_sum(out, "", "sites kept trapping: the tactic is trap", get(&tally->kept));
	print_refusals(out, tally);
	print_traps(out, tally);
	if (shared->count_calls)
		print_sum(out, "", "calls hooked", sum_calls(shared));
	print_own_calls(out, &shared->own);
	print_sites(out, shared);
}
