/* maps.c - a reader of /proc/self/maps that needs no memory but a fixed buffer */
#include "lazy/maps.h"
#include "base/os.h"
#include "base/string.h"
#include <linux/fcntl.h>
#include <linux/mman.h>
#include "base/poison.h"

struct reader {
	long fd;
	size_t used, size;
	char buffer[4096];
};

static int next_char(struct reader *r)
{
	if (r->used == r->size) {
		long n = zl_os_read((int)r->fd, r->buffer, sizeof(r->buffer));
		if (n <= 0)
			return -1;
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

static bool is_private_file(const char *path)
{
	size_t n = zl_length(path);
	static const char deleted[] = " (deleted)";
	return zl_after(path, "/memfd:") ||
	       (n >= sizeof(deleted) - 1 && zl_equal(path + n - (sizeof(deleted) - 1), deleted));
}

/* 7f..-7f.. rwxp offset device inode   path */
static bool parse(const char *line, struct zl_mapping *m)
{
	const char *s = parse_hex(line, &m->start);
	if (*s++ != '-')
		return false;
	s = parse_hex(s, &m->end);
	if (*s++ != ' ')
		return false;
	m->protection = (s[0] == 'r' ? PROT_READ : 0) | (s[1] == 'w' ? PROT_WRITE : 0) | (s[2] == 'x' ? PROT_EXEC : 0);
	m->is_shared = s[3] == 's';
	while (*s && *s != '/')
		s++;
	m->has_file = *s && !is_private_file(s);
	return true;
}

/* The line that holds the address, and what it says. */
static bool find(uintptr_t address, struct zl_mapping *mapping, char *line, size_t size)
{
	static struct reader r;   /* under the patch lock */
	bool found = false;

	r.fd = zl_os_open("/proc/self/maps", O_RDONLY);
	if (zl_is_error(r.fd))
		return false;
	r.used = r.size = 0;
	while (!found && next_line(&r, line, size))
		found = parse(line, mapping) && address - mapping->start < mapping->end - mapping->start;
	zl_raw(__NR_close, r.fd);
	return found;
}

static char line[4096 + 128];   /* under the patch lock */

bool zl_maps_find(uintptr_t address, struct zl_mapping *mapping)
{
	return find(address, mapping, line, sizeof(line));
}

bool zl_maps_path(uintptr_t address, char *path, size_t size)
{
	struct zl_mapping mapping;
	const char *s = line;

	if (!find(address, &mapping, line, sizeof(line)))
		return false;
	while (*s && *s != '/')
		s++;
	if (!*s || zl_length(s) >= size)
		return false;
	memcpy(path, s, zl_length(s) + 1);
	return true;
}
