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
/* The symbolic name of a small set of errors and what it means here ("EPERM (not permitted)"), or "error N". */
void zl_put_error(struct zl_line *line, long error);
/* An answer as it is, and its name if it is one of those errors: "-1 (EPERM)", "7". */
void zl_put_answer(struct zl_line *line, long answer);

/* Where notices go: stderr, or the file of ZLAZY_LOG, opened for each line. Set once at start. */
struct zl_print_to {
	const char *log_path;   /* NULL: stderr */
	bool is_quiet;          /* no notices; errors are still printed */
	unsigned debug;         /* ZLAZY_DEBUG: how much zl_begin_debug() lets through */
};
extern struct zl_print_to zl_print_to;

/* Can the log be opened for appending, by now? It is made if need be, and not kept open. 0 or -errno. */
long zl_print_check_log(void);

/* Finish the line "zlazy: ..." and send it. Control characters become '?', so that it stays one line. What the log
 * doesn't take goes to stderr; an error always goes there, and to the log too. Thread-safe. */
void zl_notice(struct zl_line *line);
void zl_complain(struct zl_line *line);
/* A hook's own words: they are no notice, so ZLAZY_QUIET does not hold them back. Thread-safe. */
void zl_hook_line(struct zl_line *line);

/* Begin a line of this level of ZLAZY_DEBUG, "zlazy: debug: PID: ", for zl_notice(). False: nobody wants it. */
bool zl_begin_debug(struct zl_line *line, unsigned level);

/* zl_say(zl_notice, "text", "more text", ...): strings only. */
#define zl_say(send, ...) zl_say_strings((send), (const char *const[]){ __VA_ARGS__, NULL })
void zl_say_strings(void (*send)(struct zl_line *), const char *const *strings);

#endif
