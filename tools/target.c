/* target.c - can this program be run, and will it load the agent?
 *
 * LD_PRELOAD is silently without effect in three cases: a statically linked program, one of another
 * architecture, and one that the kernel starts in secure mode (set-user-ID and the like). The user would believe
 * it hooked, so the command looks first and refuses, unless --on-error continue says otherwise. What looks fine
 * here can still fail later: exec and the agent have the last word.
 */
#include "tools/target.h"

#include "tools/message.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, SCRIPT_DEPTH = 4, HEADERS = 64 };

/* Find `name` as execvp() does. Returns false if there is nothing to look at; exec will tell the reason. */
static bool find_program(const char *name, char path[PATH_SIZE])
{
	const char *list = getenv("PATH"), *end;

	if (strchr(name, '/') != NULL)
		return snprintf(path, PATH_SIZE, "%s", name) < PATH_SIZE;
	if (list == NULL)
		list = "/bin:/usr/bin";
	for (;; list = end + 1) {
		struct stat status;
		end = strchrnul(list, ':');
		if (snprintf(path, PATH_SIZE, "%.*s%s%s", (int)(end - list), list, end > list ? "/" : "", name) < PATH_SIZE
		    && access(path, X_OK) == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode))
			return true;
		if (*end == '\0')
			return false;
	}
}

/* Does the kernel start this file in secure mode, where the dynamic linker ignores LD_PRELOAD? */
static bool is_secure(const char *path)
{
	struct stat status;
	struct statvfs mount;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || stat(path, &status) != 0
	    || (statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0))
		return false;
	if ((status.st_mode & S_ISUID) != 0 && status.st_uid != getuid())
		return true;
	if ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && status.st_gid != getgid())
		return true;
	return getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}

/* Why a program with this ELF header won't load the agent; NULL if it will, or nobody can tell. */
static const char *judge_elf(int fd, const Elf64_Ehdr *header)
{
	Elf64_Phdr part[HEADERS];
	size_t size = header->e_phnum * sizeof part[0];

	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64)
		return "it is not a 64-bit x86 program";
	if (header->e_phentsize != sizeof part[0] || header->e_phnum > HEADERS
	    || pread(fd, part, size, (off_t)header->e_phoff) != (ssize_t)size)
		return NULL;
	for (int i = 0; i < header->e_phnum; i++)
		if (part[i].p_type == PT_INTERP || part[i].p_type == PT_DYNAMIC)
			return part[i].p_type == PT_INTERP ? NULL : "it is statically linked (static-pie) and preloads nothing";
	return "it is statically linked and preloads nothing";
}

/* If `text` starts a script, put its interpreter into `path`. */
static bool find_interpreter(char *text, char path[PATH_SIZE])
{
	char *start, *end;

	if (strncmp(text, "#!", 2) != 0)
		return false;
	start = text + 2 + strspn(text + 2, " \t");
	end = start + strcspn(start, " \t\n");
	*end = '\0';
	return start[0] == '/' && snprintf(path, PATH_SIZE, "%s", start) < PATH_SIZE;
}

/* Why the agent won't be loaded; NULL if it will, or nobody can tell. Follows scripts. */
static const char *judge(char path[PATH_SIZE], int depth)
{
	union { char text[256]; Elf64_Ehdr elf; } head = { .text = "" };
	const char *reason = NULL;
	ssize_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (is_secure(path))
		reason = "it is set-user-ID or has capabilities, and the dynamic linker preloads nothing into it";
	if (fd < 0)
		return reason;
	size = reason == NULL ? read(fd, head.text, sizeof head.text - 1) : 0;
	if (size >= (ssize_t)sizeof head.elf && memcmp(head.text, ELFMAG, SELFMAG) == 0)
		reason = judge_elf(fd, &head.elf);
	close(fd);
	if (size > 0 && depth < SCRIPT_DEPTH && find_interpreter(head.text, path))
		return judge(path, depth + 1);
	return reason;
}

int zl_target_check(const char *name, bool run_anyway)
{
	char path[PATH_SIZE];
	const char *reason;

	if (run_anyway || !find_program(name, path) || access(path, X_OK) != 0)
		return 0;
	reason = judge(path, 0);
	if (reason == NULL)
		return 0;
	return zl_message(ZL_EXIT_REFUSED, "cannot hook '%s': %s; use another build of it, or --on-error continue to run"
			  " it unhooked", path, reason);
}

int zl_target_failed(const char *name, int error)
{
	int status = error == ENOENT || error == ENOTDIR ? ZL_EXIT_REFUSED : ZL_EXIT_NOT_EXECUTABLE;

	return zl_message(status, "cannot run '%s': %s", name, strerror(error));
}
