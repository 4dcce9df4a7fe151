/* print.h - bounded printing: a line is built in a fixed buffer and sent in one write */
#ifndef ZL_BASE_PRINT_H
#define ZL_BASE_PRINT_H

#include "base/types.h"

/* text[0..used) is the line so far; what does not fit is dropped, the newline never. */
struct zl_line {
	unsigned used;
	char text[1000];
};

void zl_put(struct zl_line *line, const char *s);
void zl_put_bytes(struct zl_line *line, const char *s, size_t n);
void zl_put_decimal(struct zl_line *line, long value);
void zl_put_hex(struct zl_line *line, unsigned long value);
/* The symbolic name of a small set of errors ("EPERM (not permitted)"), or "error N". */
void zl_put_error(struct zl_line *line, long error);

/* Where notices go: stderr, or the file of ZLAZY_LOG, opened for each line. */
struct zl_print_to {
	const char *log_path;   /* NULL: stderr */
	bool is_quiet;          /* no notices; errors are still printed */
	unsigned debug;         /* ZLAZY_DEBUG; no line depends on it yet */
};
extern struct zl_print_to zl_print_to;

/* Finish the line "zlazy: ..." and send it. An error always goes to stderr, and to the log too. */
void zl_notice(struct zl_line *line);
void zl_complain(struct zl_line *line);

/* zl_say(zl_notice, "text", "more text", ...): strings only. */
#define zl_say(send, ...) zl_say_strings((send), (const char *const[]){ __VA_ARGS__, NULL })
void zl_say_strings(void (*send)(struct zl_line *), const char *const *strings);

#endif
