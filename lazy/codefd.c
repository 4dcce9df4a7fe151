/* codefd.c - the descriptor of /proc/self/mem
 *
 * Held open, because opening one per patch would disturb the program's numbering and fail on a full table; high,
 * close-on-exec, and kept out of reach of close() and its kin by threads/descriptors.c. Should the program get hold
 * of the number all the same, the file's position tells: the agent has set it to a number that no other file is at, and
 * reads and writes at offsets, which leave it. (A third of the price of fstat.)
 */
#include "lazy/codefd.h"
#include "base/copy.h"
#include "base/os.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "lazy/bytes.h"
#include <linux/fcntl.h>
#include <linux/resource.h>
#include "base/poison.h"

static struct { int fd; long position; } code = { -1, 0 };

/* Put the file at a position that can't be guessed, below 2^62. */
static bool mark(long fd)
{
	uint64_t noise = (zl_read_ticks() ^ (uintptr_t)&noise) * 0x9e3779b97f4a7c15;

	code.position = (long)(noise >> 2 | 1);
	return zl_raw(__NR_lseek, fd, code.position, 0 /* SEEK_SET */) == code.position;
}

/* The highest number that table and limit allow without making the kernel grow the table far. */
static long move_up(long fd)
{
	enum { HIGH = 1023 };
	struct rlimit limit;
	long top = HIGH, moved;

	if (zl_raw(__NR_getrlimit, RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= HIGH)
		top = (long)limit.rlim_cur - 1;
	for (; top > fd; top -= 8) {
		moved = zl_os_dup((int)fd, (int)top);
		if (!zl_is_error(moved))
			break;
	}
	if (top <= fd)
		return fd;
	zl_raw(__NR_close, fd);
	return moved;
}

void zl_codefd_open(void)
{
	const struct zl_seccomp *filters = zl_seccomp_here();
	long fd;

	if (code.fd >= 0)
		zl_raw(__NR_close, code.fd);
	code.fd = -1;
	if (filters && filters->forbids_patching)
		return;
	fd = zl_os_open("/proc/self/mem", O_RDWR);
	if (zl_is_error(fd))
		return;
	fd = move_up(fd);
	if (mark(fd))
		code.fd = (int)fd;
	else
		zl_raw(__NR_close, fd);
}

int zl_codefd_get(void)
{
	if (code.fd < 0 || zl_raw(__NR_lseek, code.fd, 0, 1 /* SEEK_CUR */) != code.position)
		return -1;
	return code.fd;
}

bool zl_codefd_read(void *to, uintptr_t from, size_t size)
{
	if (zl_copy_in(to, from, size))
		return true;
	return zl_copy_may(from) && zl_os_read_at(zl_codefd_get(), to, size, from) == (long)size;
}

bool zl_code_moves(uintptr_t site, uint64_t number, bool or_another)
{
	uint8_t bytes[ZL_MOV_SIZE];
	uint32_t moved;

	if (!zl_codefd_read(bytes, site - ZL_MOV_SIZE, sizeof(bytes)) || bytes[0] != ZL_MOV_EAX)
		return false;
	memcpy(&moved, bytes + 1, sizeof(moved));
	return moved == number || (or_another && moved < ZL_PAGE);
}

void zl_codefd_move(void)
{
	long moved = zl_os_dup(code.fd, code.fd + 1);
	if (zl_is_error(moved))
		moved = zl_os_dup(code.fd, 3);
	if (!zl_is_error(moved)) {
		zl_raw(__NR_close, code.fd);
		code.fd = (int)moved;
	}
}

int zl_codefd_number(void)
{
	return code.fd;
}
