/* print.c - see print.h. No locks, no allocation: usable in a handler. */
#include "base/print.h"
#include "base/os.h"
#include "base/seccomp.h"
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

/* What the agent itself meets, in the words of where it meets it; and what hooks like to answer. */
static const struct known { int error; const char *name, *text; } known[] = {
	{ EPERM, "EPERM", "not permitted" }, { ENOENT, "ENOENT", "no such file" },
	{ EACCES, "EACCES", "permission denied" }, { EINVAL, "EINVAL", "not known to this kernel" },
	{ ENOMEM, "ENOMEM", "out of memory" }, { EEXIST, "EEXIST", "address in use" },
	{ ENOSYS, "ENOSYS", "no such system call" }, { EMFILE, "EMFILE", "too many open files" },
	{ ENFILE, "ENFILE", "too many open files in the system" }, { ENOTDIR, "ENOTDIR", "a part of it is no directory" },
	{ EISDIR, "EISDIR", "a directory" }, { ENXIO, "ENXIO", "a FIFO without a reader, or no such device" },
	{ EROFS, "EROFS", "read-only file system" }, { ENOSPC, "ENOSPC", "no space left" }, { EIO, "EIO", "input/output error" },
	{ ELOOP, "ELOOP", "too many symbolic links" }, { ENAMETOOLONG, "ENAMETOOLONG", "the name is too long" },
	{ EAGAIN, "EAGAIN", "try again" }, { EBUSY, "EBUSY", "in use" }, { ENODEV, "ENODEV", "no such device" },
	{ ESRCH, "ESRCH", "no such process" }, { EINTR, "EINTR", "interrupted" }, { EBADF, "EBADF", "not open" },
	{ EFAULT, "EFAULT", "bad address" }, { ERANGE, "ERANGE", "out of range" }, { EOPNOTSUPP, "EOPNOTSUPP", "not supported" },
};

static const struct known *find_known(long error)
{
	for (size_t i = 0; i < ZL_ARRAY_SIZE(known); i++)
		if (known[i].error == -error)
			return &known[i];
	return NULL;
}

void zl_put_error(struct zl_line *line, long error)
{
	const struct known *found = find_known(error);

	if (!found) {
		zl_put(line, "error ");
		zl_put_decimal(line, -error);
		return;
	}
	zl_put(line, found->name);
	zl_put(line, " (");
	zl_put(line, found->text);
	zl_put(line, ")");
}

void zl_put_answer(struct zl_line *line, long answer)
{
	const struct known *found = find_known(answer);

	zl_put_decimal(line, answer);
	if (found) {
		zl_put(line, " (");
		zl_put(line, found->name);
		zl_put(line, ")");
	}
}

/* Not to block: a FIFO that nobody reads must not hold the program up. */
static long open_log(void)
{
	return zl_os_open(zl_print_to.log_path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK);
}

long zl_print_check_log(void)
{
	long fd = open_log();

	if (zl_is_error(fd))
		return fd;
	zl_raw(__NR_close, fd);
	return 0;
}

/* A seccomp filter forbids to open it: what was to go there does not go to the program's standard error instead. */
static bool is_log_forbidden(void)
{
	const struct zl_seccomp *filters = zl_seccomp_here();
	return zl_print_to.log_path && !(zl_seccomp_lets(filters, __NR_openat, AT_FDCWD, 0, O_WRONLY) &&
					 zl_seccomp_lets(filters, __NR_close, 3, 0, 0));
}

static bool try_log(const struct zl_line *line)
{
	long size = line->used + 1, written, fd;

	if (!zl_print_to.log_path)
		return false;
	fd = open_log();
	if (zl_is_error(fd))
		return false;
	written = zl_raw(__NR_write, fd, line->text, size);
	zl_raw(__NR_close, fd);
	return written == size;
}

static void send_line(struct zl_line *line, bool is_error)
{
	for (unsigned i = 0; i < line->used; i++)
		if ((unsigned char)line->text[i] < ' ' || line->text[i] == 0x7f)
			line->text[i] = '?';
	line->text[line->used] = '\n';
	if ((!is_log_forbidden() && !try_log(line)) || is_error)
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

void zl_hook_line(struct zl_line *line)
{
	send_line(line, false);
}

bool zl_begin_debug(struct zl_line *line, unsigned level)
{
	if (zl_print_to.debug < level || zl_print_to.is_quiet)
		return false;
	zl_put(line, "zlazy: debug: ");
	zl_put_decimal(line, zl_raw(__NR_getpid));
	zl_put(line, ": ");
	return true;
}

void zl_say_strings(void (*send)(struct zl_line *), const char *const *strings)
{
	struct zl_line line = { 0 };
	zl_put(&line, "zlazy: ");
	for (; *strings; strings++)
		zl_put(&line, *strings);
	send(&line);
}
