/* listing.c - see listing.h
 *
 * One line of objdump's for each instruction:  "   26428:\tsyscall", "   264aa:\tjmp    264b1 <abort+0x112>". An
 * instruction ends where the next one begins.
 */
#include "listing.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

static enum listed classify(const char *text)
{
	static const char *const prefixes[] = { "data16 ", "cs ", "notrack ", "bnd ", "repz ", "rex.W " };

	if (begins_with(text, "xchg   %ax,%ax"))
		return LISTED_PADDING;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (begins_with(text, prefixes[i]))
			return classify(text + strlen(prefixes[i]));
	if (begins_with(text, "nop") || begins_with(text, "int3"))
		return LISTED_PADDING;
	if (begins_with(text, "ret") || begins_with(text, "jmp"))
		return LISTED_TRANSFER;
	if (begins_with(text, "syscall"))
		return LISTED_SYSCALL;
	return begins_with(text, "mov ") ? LISTED_MOV : LISTED_INSN;
}

/* The address that a jump or a call names. */
static void note_target(struct listing *listing, const char *text)
{
	const char *operand = strchr(text, ' ');
	uint64_t target;
	char *end;

	if (!operand || (text[0] != 'j' && !begins_with(text, "call") && !begins_with(text, "loop") &&
	                 !begins_with(text, "xbegin")))
		return;
	target = strtoul(operand, &end, 16);
	if (*end == ' ' && target < listing->size)
		listing->is_target[target] = true;
}

bool listing_read(struct listing *listing, const char *path, uint64_t size)
{
	uint64_t address, last = 0;
	char command[512], line[1024];
	FILE *pipe;

	listing->size = size;
	listing->what = calloc(1, size);
	listing->length = calloc(1, size);
	listing->is_target = calloc(size, sizeof(bool));
	snprintf(command, sizeof command, "objdump -d -w --no-show-raw-insn '%s' 2>/dev/null", path);
	pipe = popen(command, "r");
	while (pipe && fgets(line, sizeof line, pipe)) {
		char *text;

		address = strtoul(line, &text, 16);
		if (text[0] != ':' || text[1] != '\t' || address >= size)
			continue;
		listing->what[address] = (uint8_t)classify(text + 2);
		note_target(listing, text + 2);
		if (last != 0 && address > last && address - last <= 15)
			listing->length[last] = (uint8_t)(address - last);
		last = address;
	}
	return pipe && pclose(pipe) == 0 && last != 0;
}

void listing_free(struct listing *listing)
{
	free(listing->what);
	free(listing->length);
	free(listing->is_target);
}

bool listing_is_cave(const struct listing *listing, uint64_t address, unsigned size)
{
	uint64_t first = address, at;

	while (listing->what[first] == LISTED_NOTHING || listing->what[first] == LISTED_PADDING)
		if (--first + 64 < address)
			return false;
	if (listing->what[first] != LISTED_TRANSFER || first + listing->length[first] > address)
		return false;
	for (at = first + listing->length[first]; at < address + size; at += listing->length[at])
		if (listing->what[at] != LISTED_PADDING || listing->length[at] == 0)
			return false;
	for (uint64_t inside = first + listing->length[first]; inside < address + size; inside++)
		if (listing->is_target[inside])
			return false;
	return true;
}
