/* target.c - will a program that is about to be started load the agent?
 *
 * The dynamic linker preloads nothing in a statically linked program, one of another architecture, or one that the
 * kernel starts in secure mode (set-user-ID and the like). The exec goes on all the same, unhooked from there on; the
 * user is told, once, by the first process image of a run and its forked children. tools/target.c asks the same for
 * the program that the command starts. Where a seccomp filter of the program's forbids to look, nobody looks.
 */
#include "threads/target.h"
#include "base/copy.h"
#include "base/os.h"
#include "base/print.h"
#include "base/seccomp.h"
#include "base/string.h"
#include "zlazy/zlazy.h"
#include <asm/stat.h>
#include <linux/elf.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <stdatomic.h>
#include "base/poison.h"

enum { DEPTH = 4 /* of scripts, as in the kernel */, HEAD = 256, PARTS = 32, ENTRIES = 64, SHOWN = 200 };
enum {
	FORMAT = 0170000, REGULAR = 0100000, EXECUTABLE = 0111, SET_USER = 04000,
	SET_GROUP = 02010,       /* and executable by it */
};
#ifndef DT_FLAGS_1
#define DT_FLAGS_1 0x6ffffffb
#endif
#ifndef DF_1_PIE
#define DF_1_PIE 0x08000000
#endif

static _Atomic bool own_said;
static _Atomic bool *_Atomic is_said = &own_said;

void zl_target_share(void)
{
	_Atomic bool *own = &own_said;
	long page;

	if (is_said != own || own_said)
		return;
	page = zl_os_map(0, ZL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	if (!zl_is_error(page) && !atomic_compare_exchange_strong(&is_said, &own, (_Atomic bool *)page))
		zl_os_unmap((uintptr_t)page, ZL_PAGE);   /* another thread was faster */
}

/* Where a file is, as in openat(2). */
struct place {
	long directory, path, flags;
};

/* Does the kernel start this file in secure mode? */
static bool is_secure(const struct place *at, const struct stat *st)
{
	if (zl_raw(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return false;
	if ((st->st_mode & SET_USER) && st->st_uid != (unsigned)zl_raw(__NR_getuid))
		return true;
	if ((st->st_mode & SET_GROUP) == SET_GROUP && st->st_gid != (unsigned)zl_raw(__NR_getgid))
		return true;
	return at->directory == AT_FDCWD && zl_raw(__NR_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) == 0 &&
	       zl_raw(__NR_getuid) != 0 && zl_raw(__NR_getxattr, at->path, "security.capability", 0, 0) > 0;
}

/* A program, or the dynamic linker itself, started by name? */
__attribute__((noinline)) static bool is_program(int fd, const struct elf64_phdr *dynamic)
{
	Elf64_Dyn entry[ENTRIES];
	long size = zl_raw(__NR_pread64, fd, entry, sizeof(entry), dynamic->p_offset);

	for (long i = 0; i < size / (long)sizeof(entry[0]) && entry[i].d_tag != DT_NULL; i++)
		if (entry[i].d_tag == DT_FLAGS_1)
			return entry[i].d_un.d_val & DF_1_PIE;
	return false;
}

__attribute__((noinline)) static const char *judge_elf(int fd, const struct elf64_hdr *header)
{
	struct elf64_phdr part[PARTS];
	size_t size = header->e_phnum * sizeof(part[0]);

	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64)
		return "it is not a 64-bit x86 program";
	if (header->e_phentsize != sizeof(part[0]) || header->e_phnum > PARTS ||
	    zl_raw(__NR_pread64, fd, part, size, header->e_phoff) != (long)size)
		return NULL;
	for (unsigned i = 0; i < header->e_phnum; i++)
		if (part[i].p_type == PT_INTERP || (part[i].p_type == PT_DYNAMIC && !is_program(fd, &part[i])))
			return NULL;
	return "it is statically linked";
}

/* The absolute path of the interpreter, if the file is a script. */
static const char *interpreter(char text[HEAD + 1])
{
	char *start = text + 2, *end;

	if (text[0] != '#' || text[1] != '!')
		return NULL;
	while (*start == ' ' || *start == '\t')
		start++;
	for (end = start; *end && *end != ' ' && *end != '\t' && *end != '\n'; end++)
		;
	*end = '\0';
	return *start == '/' ? start : NULL;
}

union head { char text[HEAD + 1]; struct elf64_hdr elf; };

/* Why the agent won't be loaded; NULL if it will, or nobody can tell, or *next, in `head`, decides. */
static const char *judge_one(const struct place *at, union head *head, const char **next)
{
	bool is_descriptor = at->flags & AT_EMPTY_PATH;
	const char *reason = NULL;
	struct stat st;
	long fd, size;

	*next = NULL;
	if (zl_raw(__NR_newfstatat, at->directory, at->path, &st, at->flags) != 0 || (st.st_mode & FORMAT) != REGULAR ||
	    !(st.st_mode & EXECUTABLE))
		return NULL;
	if (is_secure(at, &st))
		return "it is set-user-ID or has capabilities";
	fd = is_descriptor ? at->directory : zl_raw(__NR_openat, at->directory, at->path, O_RDONLY | O_CLOEXEC, 0);
	if (zl_is_error(fd))
		return NULL;
	size = zl_raw(__NR_pread64, fd, head->text, HEAD, 0);
	head->text[size > 0 ? size : 0] = '\0';
	if (size >= (long)sizeof(head->elf) && memcmp(head->text, ELFMAG, SELFMAG) == 0)
		reason = judge_elf((int)fd, &head->elf);
	else if (size > 2)
		*next = interpreter(head->text);
	if (!is_descriptor)
		zl_raw(__NR_close, fd);
	return reason;
}

static const char *judge(struct place at)
{
	union head head[2];   /* the path of the one is read while the other is filled */
	const char *reason = NULL, *next;

	for (int depth = 0; depth <= DEPTH; depth++) {
		reason = judge_one(&at, &head[depth % 2], &next);
		if (!next)
			return reason;
		at = (struct place){ AT_FDCWD, (long)next, 0 };
	}
	return NULL;
}

static void say(const struct place *at, const char *reason)
{
	struct zl_line line = { 0 };
	char name[SHOWN];
	size_t copied = sizeof(name) - zl_copy(name, (const void *)at->path, sizeof(name)), length = 0;

	while (length < copied && name[length])
		length++;
	zl_put(&line, "zlazy: ");
	zl_put_bytes(&line, name, length);
	zl_put(&line, length ? ": runs unhooked: " : "a program runs unhooked: ");
	zl_put(&line, reason);
	zl_put(&line, "; the dynamic linker preloads nothing into it");
	zl_notice(&line);
}

void zl_target_look(const struct zlazy_call *call)
{
	bool is_at = call->number == __NR_execveat;
	struct place at = { is_at ? call->arg[0] : AT_FDCWD, call->arg[is_at ? 1 : 0],
			    is_at ? call->arg[4] & AT_EMPTY_PATH : 0 };
	const char *reason;
	char first;

	if (zl_print_to.is_quiet || atomic_load(is_said) || !zl_copy_in(&first, (uintptr_t)at.path, 1))
		return;
	if (first)
		at.flags = 0;
	if (!zl_seccomp_lets(zl_seccomp_here(), __NR_close, 3, 0, 0))   /* what is opened to look would stay open */
		return;
	reason = judge(at);
	if (reason && !atomic_exchange(is_said, true))
		say(&at, reason);
}
