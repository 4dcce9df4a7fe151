/* maps.c - the mapping at one address
 *
 * Linux 6.11 and later answer an ioctl on /proc/self/maps (PROCMAP_QUERY, linux/fs.h, which headers of older kernels
 * lack). Before, the text is read up to the line in question. Neither needs memory but a fixed buffer.
 */
#include "lazy/maps.h"
#include "base/os.h"
#include "base/string.h"
#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include "base/poison.h"

enum { QUERY_READABLE = 1, QUERY_WRITABLE = 2, QUERY_EXECUTABLE = 4, QUERY_SHARED = 8 };

/* The last mappings found to be private. Only what maps a file or shared memory can change that (zl_maps_forget()):
 * what is unmapped there and mapped anew is private again. Under the patch lock. */
enum { KNOWN = 32 };
static struct { uintptr_t start, end; } known[KNOWN];
static unsigned next_known;

/* struct procmap_query */
struct query {
	uint64_t size, query_flags, address, start, end, flags, page_size, offset, inode;
	uint32_t device_major, device_minor, name_size, build_id_size;
	uint64_t name, build_id;
};
static_assert(sizeof(struct query) == 104, "linux/fs.h");

static_assert((int)_IOWR('f', 17, struct query) == ZL_MAPS_QUERY, "maps.h");

/* The device that the kernel keeps memfds on, and nothing else that can be opened. */
static uint32_t memfd_major, memfd_minor;
static bool is_memfd_known;

/* A device number as stat has it (linux/kdev_t.h). */
static uint32_t major_of(uint64_t device) { return (uint32_t)(device >> 8 & 0xfff); }
static uint32_t minor_of(uint64_t device) { return (uint32_t)((device & 0xff) | (device >> 12 & 0xfff00)); }

void zl_maps_start(void)
{
	long fd = zl_raw(__NR_memfd_create, "", MFD_CLOEXEC);
	struct stat st;

	if (zl_is_error(fd))
		return;
	is_memfd_known = zl_raw(__NR_fstat, fd, &st) == 0;
	memfd_major = major_of(st.st_dev);
	memfd_minor = minor_of(st.st_dev);
	zl_raw(__NR_close, fd);
}

static bool is_memfd(uintptr_t major, uintptr_t minor)
{
	return is_memfd_known && major == memfd_major && minor == memfd_minor;
}

struct reader {
	long fd, error;        /* error: of the last read, or 0 */
	size_t used, size;
	char buffer[4096];
};

static int next_char(struct reader *r)
{
	if (r->used == r->size) {
		long n = zl_os_read((int)r->fd, r->buffer, sizeof(r->buffer));
		if (n <= 0) {
			r->error = n;
			return -1;
		}
		r->used = 0;
		r->size = (size_t)n;
	}
	return (unsigned char)r->buffer[r->used++];
}

/* Read one line without its newline, cut to size - 1. */
static bool next_line(struct reader *r, char *line, size_t size)
{
	size_t n = 0;
	int c;
	while ((c = next_char(r)) >= 0 && c != '\n')
		if (n < size - 1)
			line[n++] = (char)c;
	line[n] = '\0';
	return c == '\n';
}

static const char *parse_hex(const char *s, uintptr_t *value)
{
	*value = 0;
	for (;; s++) {
		unsigned digit = (unsigned)(*s >= 'a' ? *s - 'a' + 10 : *s - '0');
		if (digit > 15 || (*s > '9' && *s < 'a'))
			return s;
		*value = *value << 4 | digit;
	}
}

/* 7f..-7f.. rwxp offset device inode   path */
static bool parse(const char *line, struct zl_mapping *m)
{
	const char *s = parse_hex(line, &m->start);
	uintptr_t major, minor;

	if (*s++ != '-')
		return false;
	s = parse_hex(s, &m->end);
	if (*s++ != ' ')
		return false;
	m->protection = (s[0] == 'r' ? PROT_READ : 0) | (s[1] == 'w' ? PROT_WRITE : 0) | (s[2] == 'x' ? PROT_EXEC : 0);
	m->is_shared = s[3] == 's';
	s = parse_hex(s + sizeof("rwxp"), &m->offset);
	if (*s++ != ' ')
		return false;
	s = parse_hex(s, &major);
	if (*s++ != ':')
		return false;
	s = parse_hex(s, &minor);
	m->has_file = s[0] == ' ' && s[1] != '0';   /* the inode */
	m->is_view = !m->is_shared && is_memfd(major, minor);
	return true;
}

/* The line that holds the address, and what it says. 0, -ENOENT or another -errno. */
static long find_line(long fd, uintptr_t address, struct zl_mapping *mapping, char *line, size_t size)
{
	static struct reader r;   /* under the patch lock */

	r.fd = fd;
	r.used = r.size = 0;
	r.error = 0;
	while (next_line(&r, line, size))
		if (!parse(line, mapping))
			return -EIO;
		else if (address - mapping->start < mapping->end - mapping->start)
			return 0;
	return r.error ? r.error : -ENOENT;
}

static char line[4096 + 128];   /* under the patch lock */

/* name: of name_size bytes, or NULL. */
static long ask(long fd, uintptr_t address, struct zl_mapping *mapping, char *name, size_t name_size)
{
	struct query query = { .size = sizeof(query), .address = address, .name = (uintptr_t)name,
			       .name_size = (uint32_t)name_size };
	long result = zl_os_ask((int)fd, ZL_MAPS_QUERY, &query);

	if (result < 0)
		return result;
	if (name && !query.name_size)
		name[0] = '\0';
	mapping->offset = query.offset;
	mapping->start = query.start;
	mapping->end = query.end;
	mapping->protection = (query.flags & QUERY_READABLE ? PROT_READ : 0) |
			      (query.flags & QUERY_WRITABLE ? PROT_WRITE : 0) |
			      (query.flags & QUERY_EXECUTABLE ? PROT_EXEC : 0);
	mapping->is_shared = query.flags & QUERY_SHARED;
	mapping->has_file = query.inode != 0;
	mapping->is_view = !mapping->is_shared && is_memfd(query.device_major, query.device_minor);
	return 0;
}

bool zl_maps_may_have_file(uintptr_t address)
{
	struct query query = { .size = sizeof(query), .address = address };
	long fd = zl_os_open("/proc/self/maps", O_RDONLY), result;

	if (zl_is_error(fd))
		return true;
	result = zl_os_ask((int)fd, ZL_MAPS_QUERY, &query);
	zl_raw(__NR_close, fd);
	return result != 0 || query.inode != 0;
}

static void note(const struct zl_mapping *mapping)
{
	if (mapping->is_shared || mapping->is_view)
		return;
	known[next_known].start = mapping->start;
	known[next_known].end = mapping->end;
	next_known = (next_known + 1) % KNOWN;
}

bool zl_maps_is_known_private(uintptr_t address)
{
	for (unsigned i = 0; i < KNOWN; i++)
		if (address - known[i].start < known[i].end - known[i].start)
			return true;
	return false;
}

void zl_maps_forget(uintptr_t start, uintptr_t end)
{
	for (unsigned i = 0; i < KNOWN; i++)
		if (start < known[i].end && known[i].start < end)
			known[i].start = known[i].end = 0;
}

long zl_maps_find(uintptr_t address, struct zl_mapping *mapping)
{
	long fd = zl_os_open("/proc/self/maps", O_RDONLY), result;

	if (fd < 0)
		return fd == -ENOENT ? -EACCES : fd;   /* -ENOENT means: nothing is mapped there */
	result = ask(fd, address, mapping, NULL, 0);
	if (result != 0 && result != -ENOENT)
		result = find_line(fd, address, mapping, line, sizeof(line));
	zl_raw(__NR_close, fd);
	if (result == 0)
		note(mapping);
	return result;
}

/* The name in a line: what comes after range, protection, offset, device and inode. */
static const char *name_in(const char *s)
{
	for (int field = 0; field < 5; field++) {
		while (*s && *s != ' ')
			s++;
		while (*s == ' ')
			s++;
	}
	return s;
}

static void keep_end(const char *from, char *to, size_t size)
{
	static const char mark[] = "...";
	size_t length = zl_length(from), marked = sizeof(mark) - 1;

	if (length < size) {
		memcpy(to, from, length + 1);
		return;
	}
	memcpy(to, mark, marked);
	memcpy(to + marked, from + length - (size - 1 - marked), size - marked);   /* its NUL, too */
}

long zl_maps_name(uintptr_t address, struct zl_mapping *mapping, char *name, size_t size)
{
	long fd = zl_os_open("/proc/self/maps", O_RDONLY), result;
	const char *found = line;

	if (fd < 0)
		return fd == -ENOENT ? -EACCES : fd;
	result = ask(fd, address, mapping, line, sizeof(line));
	if (result != 0 && result != -ENOENT) {
		result = find_line(fd, address, mapping, line, sizeof(line));
		found = name_in(line);
	}
	zl_raw(__NR_close, fd);
	if (result == 0)
		keep_end(found, name, size);
	return result;
}

long zl_maps_each(bool (*function)(const struct zl_mapping *mapping, void *data), void *data)
{
	struct reader r = { .fd = zl_os_open("/proc/self/maps", O_RDONLY) };
	struct zl_mapping mapping;
	char text[128];

	if (zl_is_error(r.fd))
		return r.fd;
	while (next_line(&r, text, sizeof(text)) && parse(text, &mapping) && function(&mapping, data))
		;
	zl_raw(__NR_close, r.fd);
	return r.error;
}

bool zl_maps_path(uintptr_t address, char *path, size_t size)
{
	long fd = zl_os_open("/proc/self/maps", O_RDONLY), result;
	struct zl_mapping mapping;
	const char *s = line;

	if (zl_is_error(fd))
		return false;
	result = ask(fd, address, &mapping, line, sizeof(line));
	if (result != 0 && result != -ENOENT)
		result = find_line(fd, address, &mapping, line, sizeof(line));
	zl_raw(__NR_close, fd);
	if (result != 0)
		return false;
	while (*s && *s != '/')
		s++;
	if (!*s || zl_length(s) >= size)
		return false;
	memcpy(path, s, zl_length(s) + 1);
	return true;
}
