/* message.h - the command's own lines on stderr */
#ifndef ZL_TOOLS_MESSAGE_H
#define ZL_TOOLS_MESSAGE_H

enum {
	ZL_EXIT_NO_REPORT = 1,   /* the program's status is 0, but the report could not be written */
	ZL_EXIT_REFUSED = 127,   /* wrong use, or the program was not found: nothing was started */
	ZL_EXIT_NOT_EXECUTABLE = 126,
};

/* Print "zlazy: text" as one line. Returns `status`, so that callers can say `return zl_message(127, ...)`. */
int zl_message(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
