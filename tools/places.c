/* places.c - where a refused site is, in words
 *
 * When the command asks, the program is gone: what is left is the name of the mapping and an offset. The file of that
 * name may be another one by now, or belong to another mount namespace, so a symbol is shown only if the bytes of the
 * site are at that offset. Symbols come from elfutils: .symtab, .dynsym and, where they are installed, separate files
 * of debugging information. Its library is loaded when it is first needed, because that costs half a millisecond, and done
 * without where it is missing. The vDSO is the same in every process: the command's own is looked at.
 */
#include "tools/places.h"

#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char vdso_name[] = "[vdso]";

/* One file that sites are in, kept open for the next of its sites. */
struct file {
	struct file *next;
	char name[sizeof ((struct zl_refused_site *)0)->name];
	int fd;                    /* -1: it can't be had */
	Dwfl *session;
	Dwfl_Module *module;       /* NULL: it is no ELF file */
};

static struct file *files;

#define FUNCTIONS(use) \
	use(dwfl_begin) use(dwfl_report_begin) use(dwfl_report_elf) use(dwfl_report_end) use(dwfl_module_getelf) \
	use(dwfl_module_addrinfo) use(dwfl_build_id_find_elf) use(dwfl_standard_find_debuginfo) use(elf_getphdrnum) \
	use(gelf_getphdr)
#define POINTER(name) __typeof__(name) *name;
static struct { FUNCTIONS(POINTER) } elfutils;

static bool load_elfutils(void)
{
	static int state;   /* 1: loaded, -1: it can't be */
	void *library = state == 0 ? dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL) : NULL;

	if (state != 0)
		return state > 0;
	state = -1;
	if (library == NULL)
		return false;
#define FIND(name) if ((*(void **)&elfutils.name = dlsym(library, #name)) == NULL) return false;
	FUNCTIONS(FIND)
	unsetenv("DEBUGINFOD_URLS");   /* nothing is fetched from the network for a line of statistics */
	state = 1;
	return true;
}

/* A file with the bytes of the command's own vDSO, or -1. Its sections are the last thing in it. */
static int open_vdso(void)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	size_t size;
	int fd;

	if (header == NULL)
		return -1;
	size = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, header, size) != (ssize_t)size) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_regular(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void open_module(struct file *file)
{
	static Dwfl_Callbacks callbacks;
	int fd;

	if (!load_elfutils())
		return;
	callbacks.find_elf = elfutils.dwfl_build_id_find_elf;
	callbacks.find_debuginfo = elfutils.dwfl_standard_find_debuginfo;
	file->session = elfutils.dwfl_begin(&callbacks);
	fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);   /* elfutils closes it */
	if (file->session == NULL || fd < 0)
		return;
	elfutils.dwfl_report_begin(file->session);
	file->module = elfutils.dwfl_report_elf(file->session, base_name(file->name), file->name, fd, 0, true);
	if (file->module == NULL)
		close(fd);
	elfutils.dwfl_report_end(file->session, NULL, NULL);
}

/* Returns NULL if there is no memory. */
static struct file *find_file(const char *name)
{
	struct file *file;

	for (file = files; file != NULL; file = file->next)
		if (strcmp(file->name, name) == 0)
			return file;
	file = calloc(1, sizeof *file);
	if (file == NULL)
		return NULL;
	snprintf(file->name, sizeof file->name, "%s", name);
	file->fd = strcmp(name, vdso_name) == 0 ? open_vdso() : open_regular(name);
	if (file->fd >= 0)
		open_module(file);
	file->next = files;
	files = file;
	return file;
}

static bool has_bytes(const struct file *file, const struct zl_refused_site *site)
{
	unsigned char bytes[sizeof site->bytes];
	size_t size = (size_t)(site->end - site->first);
	off_t at = (off_t)site->offset - ZL_REFUSED_AT + site->first;

	return pread(file->fd, bytes, size, at) == (ssize_t)size && memcmp(bytes, site->bytes + site->first, size) == 0;
}

/* The address, in `module`, of an offset in its file. */
static bool find_address(Dwfl_Module *module, uint64_t offset, GElf_Addr *address)
{
	GElf_Addr bias;
	Elf *elf = elfutils.dwfl_module_getelf(module, &bias);
	size_t parts;

	if (elf == NULL || elfutils.elf_getphdrnum(elf, &parts) != 0)
		return false;
	for (size_t i = 0; i < parts; i++) {
		GElf_Phdr part;
		if (elfutils.gelf_getphdr(elf, (int)i, &part) == NULL || part.p_type != PT_LOAD || offset < part.p_offset
		    || offset - part.p_offset >= part.p_filesz)
			continue;
		*address = offset - part.p_offset + part.p_vaddr + bias;
		return true;
	}
	return false;
}

static bool put_symbol(const struct zl_refused_site *site, char text[ZL_PLACE_SIZE])
{
	const struct file *file = find_file(site->name);
	GElf_Addr address;
	GElf_Off offset;
	GElf_Sym symbol;
	const char *name;

	if (file == NULL || file->module == NULL || !has_bytes(file, site)
	    || !find_address(file->module, site->offset, &address))
		return false;
	name = elfutils.dwfl_module_addrinfo(file->module, address, &offset, &symbol, NULL, NULL, NULL);
	if (name == NULL)
		return false;
	/* without the version of the symbol */
	snprintf(text, ZL_PLACE_SIZE, "%s!%.*s+%#" PRIx64, base_name(file->name), (int)strcspn(name, "@"), name,
		 (uint64_t)offset);
	return true;
}

/* What /proc/self/maps calls memory that is shared and has no file. */
static bool is_shared_memory(const char *name)
{
	return strcmp(name, "/dev/zero (deleted)") == 0 || strncmp(name, "/SYSV", 5) == 0;
}

static void hide_control_characters(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = '?';
}

void zl_place_of(const struct zl_refused_site *site, char text[ZL_PLACE_SIZE])
{
	const char *kind = site->name;

	if (site->offset != 0 && put_symbol(site, text)) {
		hide_control_characters(text);
		return;
	}
	if (site->offset != 0) {
		snprintf(text, ZL_PLACE_SIZE, "%s+%#" PRIx64, site->name, site->offset);
		hide_control_characters(text);
		return;
	}
	if (!site->is_place_known)
		kind = "somewhere";
	else if (is_shared_memory(kind))
		kind = "shared memory";
	else if (kind[0] == '\0' || strncmp(kind, "/anon_hugepage", 14) == 0)
		kind = "anonymous memory";
	snprintf(text, ZL_PLACE_SIZE, "%s at %#" PRIx64 " of process %d", kind, site->address, (int)site->pid);
	hide_control_characters(text);
}
