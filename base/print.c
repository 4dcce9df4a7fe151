/* print.c - see print.h. No locks, no allocation: usable in a handler. */
#include "base/print.h"
#include "base/os.h"
#include "base/string.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include "base/poison.h"

struct zl_print_to zl_print_to;

void zl_put_bytes(struct zl_line *line, const char *s, size_t n)
{
	size_t room = sizeof(line->text) - 1 - line->used;
	if (n > room)
		n = room;
	memcpy(line->text + line->used, s, n);
	line->used += (unsigned)n;
}

void zl_put(struct zl_line *line, const char *s)
{
	zl_put_bytes(line, s, zl_length(s));
}

static void put_unsigned(struct zl_line *line, unsigned long value, unsigned base)
{
	char digits[24];
	unsigned n = sizeof(digits);
	do {
		digits[--n] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	zl_put_bytes(line, digits + n, sizeof(digits) - n);
}

void zl_put_decimal(struct zl_line *line, long value)
{
	if (value < 0)
		zl_put(line, "-");
	put_unsigned(line, value < 0 ? -(unsigned long)value : (unsigned long)value, 10);
}

void zl_put_hex(struct zl_line *line, unsigned long value)
{
	zl_put(line, "0x");
	put_unsigned(line, value, 16);
}

void zl_put_error(struct zl_line *line, long error)
{
	static const struct { int error; const char *text; } known[] = {
		{ EPERM, "EPERM (not permitted)" }, { ENOENT, "ENOENT (no such file)" },
		{ EACCES, "EACCES (permission denied)" }, { EINVAL, "EINVAL (not known to this kernel)" },
		{ ENOMEM, "ENOMEM (out of memory)" }, { EEXIST, "EEXIST (address in use)" },
		{ ENOSYS, "ENOSYS (no such system call)" }, { EMFILE, "EMFILE (too many open files)" },
	};
	for (size_t i = 0; i < ZL_ARRAY_SIZE(known); i++)
		if (known[i].error == -error) {
			zl_put(line, known[i].text);
			return;
		}
	zl_put(line, "error ");
	zl_put_decimal(line, -error);
}

static void send_line(struct zl_line *line, bool is_error)
{
	const char *path = zl_print_to.log_path;
	line->text[line->used] = '\n';
	if (path) {
		long fd = zl_raw(__NR_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
		if (!zl_is_error(fd)) {
			zl_raw(__NR_write, fd, line->text, line->used + 1);
			zl_raw(__NR_close, fd);
		}
	}
	if (!path || is_error)
		zl_raw(__NR_write, 2, line->text, line->used + 1);
}

void zl_notice(struct zl_line *line)
{
	if (!zl_print_to.is_quiet)
		send_line(line, false);
}

void zl_complain(struct zl_line *line)
{
	send_line(line, true);
}

void zl_say_strings(void (*send)(struct zl_line *), const char *const *strings)
{
	struct zl_line line = { 0 };
	zl_put(&line, "zlazy: ");
	for (; *strings; strings++)
		zl_put(&line, *strings);
	send(&line);
}
