/* calls.c - the table of strace -c -w
 *
 * Every number's counters are summed over the slots of the shared file. Processes that outlive the program may
 * still be adding; the sums are of the moment. Rows are sorted by time, the same columns and widths as strace's.
 */
#include "tools/report.h"

#include "tools/names.h"

#include <stdatomic.h>
#include <stdlib.h>

struct row { unsigned number; uint64_t calls, errors, ticks; };

static struct row sum_number(const struct zl_shared *shared, unsigned number)
{
	struct row row = { .number = number };

	for (int slot = 0; slot < ZL_SHARED_SLOTS; slot++) {
		const struct zl_call_count *count = &shared->count[slot][number];
		row.calls += atomic_load_explicit(&count->calls, memory_order_relaxed);
		row.errors += atomic_load_explicit(&count->errors, memory_order_relaxed);
		row.ticks += atomic_load_explicit(&count->ticks, memory_order_relaxed);
	}
	return row;
}

/* For qsort: most time first, then most calls, then by number. */
static int compare(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->ticks != b->ticks)
		return a->ticks < b->ticks ? 1 : -1;
	if (a->calls != b->calls)
		return a->calls < b->calls ? 1 : -1;
	return a->number < b->number ? -1 : 1;
}

static void print_row(FILE *out, const struct row *row, double percent, double seconds_per_tick, const char *name)
{
	double seconds = (double)row->ticks * seconds_per_tick;
	unsigned long each = row->calls != 0 ? (unsigned long)(seconds * 1e6 / (double)row->calls) : 0;
	char errors[24] = "";

	if (row->errors != 0)
		snprintf(errors, sizeof errors, "%lu", (unsigned long)row->errors);
	fprintf(out, "%6.2f %11.6f %11lu %9lu %9s %s\n", percent, seconds, each, (unsigned long)row->calls, errors, name);
}

void zl_report_calls(FILE *out, const struct zl_shared *shared, double seconds_per_tick)
{
	static const char line[] = "------ ----------- ----------- --------- --------- ----------------\n";
	struct row rows[ZL_SHARED_NUMBERS + 1], total = { 0 };
	size_t used = 0;
	char name[ZL_NAME_SIZE];

	for (unsigned number = 0; number < ZL_SHARED_NUMBERS; number++) {
		rows[used] = sum_number(shared, number);
		total.calls += rows[used].calls;
		total.errors += rows[used].errors;
		total.ticks += rows[used].ticks;
		used += rows[used].calls != 0;
	}
	qsort(rows, used, sizeof rows[0], compare);
	fprintf(out, "%% time     seconds  usecs/call     calls    errors syscall\n%s", line);
	for (size_t i = 0; i < used; i++) {
		double share = total.ticks != 0 ? 100.0 * (double)rows[i].ticks / (double)total.ticks : 0;
		zl_name_of(rows[i].number, name);
		print_row(out, &rows[i], share, seconds_per_tick, rows[i].number == ZL_SHARED_OTHER ? "others" : name);
	}
	fputs(line, out);
	print_row(out, &total, 100.0, seconds_per_tick, "total");
}
