/* pattern.c - the pattern of the control blocks that hook code has (threads/control.c), made once, with ld.so's help
 *
 * ld.so knows how static TLS is laid out, in one layout for all namespaces; _dl_allocate_tls_init() sets up a block in
 * memory that it is given, as libc's pthread_create() has it done. libc says by what it offers to debuggers
 * (_thread_db_*) how large its struct pthread is and where the thread's id lies. All of it is GLIBC_PRIVATE, older than
 * SUD and looked up by name: where something is missing there is no pattern, one notice, and hook code uses the block
 * that fs points to.
 *
 * Called when all hook libraries are loaded and their zlazy_hook_init() has run, on the main thread, with the
 * program's block. What they have put into thread-local variables and pthread_setspecific() there goes over to the main
 * thread's own block.
 */
#define _GNU_SOURCE
#include "agent/pattern.h"
#include "base/fs.h"
#include "base/os.h"
#include "base/string.h"
#include "threads/control.h"
#include "threads/slots.h"
#include <dlfcn.h>
#include <elf.h>
#include <linux/mman.h>
#include "base/poison.h"

#pragma weak dlinfo
#pragma weak dlvsym

/* What begins struct pthread, tcbhead_t of x86-64: part of the ABI between compiler and libc, or nearly so. */
enum { HEAD_SELF = 0, HEAD_DTV = 1, HEAD_THREAD = 2, HEAD_THREADS = 3, HEAD_GUARDS = 4, HEAD_GUARDS_END = 7 };
enum { PAGE_OFFSET = 0x500, FEW_VARIABLES = 2048, FEW_MODULES = 128 };
enum { KEYS_IN_BLOCK = 32, KEY_SIZE = 2 * sizeof(uintptr_t) };   /* of pthread_setspecific(), in struct pthread */

union dtv {   /* of ld.so: [-1] room, [0] generation, [n] of object n */
	size_t counter;
	struct { uintptr_t value; uintptr_t to_free; } pointer;
};
static const uintptr_t unallocated = (uintptr_t)-1;

/* As <link.h> has it, which can't be included beside the kernel's headers. */
struct link_map {
	uintptr_t l_addr;
	const char *l_name;
	void *l_ld;
	struct link_map *l_next, *l_prev;
};

/* An object with thread-local variables, in the hooks' namespace. */
struct object {
	struct link_map *map;
	size_t id;
	intptr_t offset;
	size_t size;
	bool is_static, is_libc;
};

static struct {
	void (*init)(void *tp, bool is_main_too);
	void (*size)(size_t *size, size_t *alignment);
	const uint32_t *sizeof_pthread, *tid, *list, *specific;   /* of fields: { bits, elements, offset } */
	const ptrdiff_t *rseq;                             /* or NULL: before 2.35 */
} libc;
static struct object objects[ZL_CONTROL_MODULES];
static unsigned object_count;
static intptr_t lowest;   /* of the variables placed so far */

/* In the program's libc; a program without one may have hooks that have. */
static void *find(void *handle, const char *name, const char *version)
{
	void *address = dlvsym(RTLD_DEFAULT, name, version);
	return address ? address : dlvsym(handle, name, version);
}

static bool find_names(void *handle)
{
	static const char private[] = "GLIBC_PRIVATE";

	if (!dlvsym || !dlinfo)
		return false;
	*(void **)&libc.init = find(handle, "_dl_allocate_tls_init", private);
	*(void **)&libc.size = find(handle, "_dl_get_tls_static_info", private);
	libc.sizeof_pthread = find(handle, "_thread_db_sizeof_pthread", private);
	libc.tid = find(handle, "_thread_db_pthread_tid", private);
	libc.list = find(handle, "_thread_db_pthread_list", private);
	libc.specific = find(handle, "_thread_db_pthread_specific", private);
	libc.rseq = find(handle, "__rseq_offset", "GLIBC_2.35");
	return libc.init && libc.size && libc.sizeof_pthread && libc.tid && libc.list;
}

static bool lay_out(struct zl_control_pattern *p)
{
	size_t size = 0, alignment = 0, least;

	libc.size(&size, &alignment);
	p->tcb = zl_align_up(*libc.sizeof_pthread, 2 * sizeof(uintptr_t));
	p->tid = libc.tid[2];
	p->list = libc.list[2];
	if (alignment == 0 || alignment > ZL_PAGE || size < p->tcb || p->tid + sizeof(int32_t) > p->tcb ||
	    p->list + 2 * sizeof(uintptr_t) > p->tcb)
		return false;
	p->page_offset = zl_align_up(PAGE_OFFSET, alignment);
	lowest = -(intptr_t)zl_align_up(size - p->tcb, 2 * sizeof(uintptr_t));
	p->before = zl_align_up((uintptr_t)-lowest + FEW_VARIABLES, ZL_PAGE);
	p->after = SLOT_BLOCK - SLOT_CONTROL - p->before - p->page_offset;
	least = p->tcb + FEW_MODULES * sizeof(union dtv);
	if (SLOT_BLOCK - SLOT_CONTROL < p->before + p->page_offset + least)
		p->after = zl_align_up(p->page_offset + 2 * least, ZL_PAGE) - p->page_offset;
	return true;
}

/* Robust mutexes: a list that begins empty. Where its head is the kernel knows. */
static void fill_robust_list(uintptr_t tp, uintptr_t fs, size_t tcb)
{
	uintptr_t head = 0, *theirs, *ours;
	size_t length;

	if (zl_raw(__NR_get_robust_list, 0, &head, &length) != 0 || head <= fs || head - fs > tcb - 3 * sizeof(head))
		return;
	theirs = (uintptr_t *)head;
	ours = (uintptr_t *)(tp + (head - fs));
	ours[0] = (uintptr_t)ours;
	ours[1] = theirs[1];         /* futex_offset */
	if (theirs[-1] == head)      /* the way back */
		ours[-1] = (uintptr_t)ours;
}

static union dtv *fill_head(const struct zl_control_pattern *p)
{
	uintptr_t fs = zl_fs_read();
	uintptr_t *head = (uintptr_t *)p->tp, *theirs = (uintptr_t *)fs;
	uintptr_t *links = (uintptr_t *)(p->tp + p->list);
	union dtv *dtv = (union dtv *)(p->tp + p->tcb) + 1;

	head[HEAD_SELF] = head[HEAD_THREAD] = p->tp;
	head[HEAD_DTV] = (uintptr_t)dtv;
	head[HEAD_THREADS] = 1;      /* this process may have several */
	for (int i = HEAD_GUARDS; i < HEAD_GUARDS_END; i++)
		head[i] = theirs[i]; /* sysinfo, stack guard, pointer guard: one value for all threads */
	links[0] = links[1] = (uintptr_t)links;   /* fork() takes it from its list */
	fill_robust_list(p->tp, fs, p->tcb);
	if (libc.rseq && *libc.rseq > 0 && (size_t)*libc.rseq < p->tcb - 2 * sizeof(int32_t))
		((int32_t *)(p->tp + (size_t)*libc.rseq))[1] = -1;   /* cpu_id: not registered */
	dtv[-1].counter = (p->after - p->tcb) / sizeof(*dtv) - 2;
	return dtv;
}

/* The header of its variables, or NULL. The object begins with its ELF header, if the page is there at all. */
static const Elf64_Phdr *find_variables(const struct link_map *map)
{
	const Elf64_Ehdr *file = (const Elf64_Ehdr *)map->l_addr;
	const Elf64_Phdr *header;
	unsigned char is_there;

	if (!map->l_addr || zl_raw(__NR_mincore, map->l_addr, ZL_PAGE, &is_there) != 0 ||
	    memcmp(file->e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;
	header = (const Elf64_Phdr *)(map->l_addr + file->e_phoff);
	for (int i = 0; i < file->e_phnum; i++)
		if (header[i].p_type == PT_TLS)
			return &header[i];
	return NULL;
}

static bool is_libc(const char *path)
{
	const char *name = path;
	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return zl_after(name, "libc.so.") != NULL;
}

/* Variables that ld.so would allocate at their first access get their place now. False if there is no room. */
static bool place(const struct zl_control_pattern *p, const Elf64_Phdr *variables, const struct object *object)
{
	intptr_t offset = lowest - (intptr_t)variables->p_memsz;

	offset &= -(intptr_t)(variables->p_align > 16 ? variables->p_align : 16);
	if (variables->p_align > PAGE_OFFSET % ZL_PAGE || offset < -(intptr_t)p->before)
		return false;
	lowest = offset;
	memcpy((void *)(p->tp + (uintptr_t)offset), (void *)(object->map->l_addr + variables->p_vaddr),
	       variables->p_filesz);
	return true;
}

static void add_object(struct zl_control_pattern *p, union dtv *dtv, struct link_map *map)
{
	const Elf64_Phdr *variables = find_variables(map);
	struct object object = { .map = map };

	if (!variables || object_count == ZL_CONTROL_MODULES || dlinfo(map, RTLD_DI_TLS_MODID, &object.id) != 0 ||
	    !object.id || object.id > dtv[-1].counter)
		return;
	object.size = variables->p_memsz;
	object.is_static = true;
	if (dtv[object.id].pointer.value == unallocated || !dtv[object.id].pointer.value) {
		if (!place(p, variables, &object))
			return;
		dtv[object.id].pointer.value = p->tp + (uintptr_t)lowest;
		dtv[object.id].pointer.to_free = 0;
		object.is_static = false;
	}
	object.offset = (intptr_t)(dtv[object.id].pointer.value - p->tp);
	object.is_libc = is_libc(map->l_name);
	objects[object_count++] = object;
	if (!object.is_libc)
		p->module[p->modules++] = (struct zl_control_module){ object.offset, object.size };
}

static size_t measure_dtv(const union dtv *dtv)
{
	size_t last = dtv[-1].counter;
	while (last > 0 && !dtv[last].pointer.value)
		last--;
	return (last + 2) * sizeof(*dtv);
}

/* pthread_setspecific() of hooks: the program has made no key yet. */
static void move_keys(uintptr_t tp)
{
	uintptr_t fs = zl_fs_read(), first;
	size_t size = KEYS_IN_BLOCK * KEY_SIZE;

	if (!libc.specific)
		return;
	first = *(uintptr_t *)(fs + libc.specific[2]);
	if (first <= fs || first - fs > zl_control_pattern.tcb - size)
		return;
	memcpy((void *)(tp + (first - fs)), (void *)first, size);
	memset((void *)first, 0, size);
	*(uintptr_t *)(tp + libc.specific[2]) = tp + (first - fs);
}

/* Where zlazy_hook_init() has written its thread variables, or 0. */
static uintptr_t live_variables(const struct object *object)
{
	void *live = NULL;

	if (object->is_static)   /* ld.so may not know yet that this thread has them */
		return zl_fs_read() + (uintptr_t)object->offset;
	return dlinfo(object->map, RTLD_DI_TLS_DATA, &live) == 0 ? (uintptr_t)live : 0;
}

/* A word of them: what points to such a variable points to its copy. */
static uintptr_t moved_word(uintptr_t word, uintptr_t tp)
{
	for (unsigned i = 0; i < object_count; i++) {
		uintptr_t live = live_variables(&objects[i]);
		if (live && word - live < objects[i].size)
			return tp + (uintptr_t)objects[i].offset + (word - live);
	}
	return word;
}

static void fill_first(struct zl_block *block)
{
	uintptr_t tp;

	zl_slot_set_thread(block);
	tp = zl_control_make(block);
	if (!tp)
		return;
	for (unsigned i = 0; i < object_count; i++) {
		uintptr_t to = tp + (uintptr_t)objects[i].offset, from = live_variables(&objects[i]);
		size_t words = objects[i].size / sizeof(uintptr_t);

		if (!from)
			continue;
		memcpy((void *)to, (void *)from, objects[i].size);
		for (size_t word = 0; word < words; word++)
			((uintptr_t *)to)[word] = moved_word(((uintptr_t *)from)[word], tp);
	}
	move_keys(tp);
}

/* ld.so's lists of threads, which both libcs' fork() changes, lie side by side in its struct rtld_global. */
static void find_fork(void *handle)
{
	static const char private[] = "GLIBC_PRIVATE";
	const uint32_t *used = find(handle, "_thread_db_rtld_global__dl_stack_used", private);
	const uint32_t *user = find(handle, "_thread_db_rtld_global__dl_stack_user", private);
	char *global = find(handle, "_rtld_global", private);

	if (!used || !user || !global || user[2] != used[2] + 2 * sizeof(uintptr_t))
		return;
	zl_hook_libc.threads = (uintptr_t *)(global + used[2]);
	*(void **)&zl_hook_libc.fork = dlvsym(handle, "__fork", "GLIBC_2.2.5");
}

bool zl_pattern_make(void *handle, struct zl_block *first)
{
	struct zl_control_pattern *p = &zl_control_pattern;
	struct link_map *map = NULL;
	union dtv *dtv;
	long memory;

	if (!find_names(handle) || !zl_control_is_glibc(zl_fs_read()) || !lay_out(p))
		return false;
	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
		return false;
	memory = zl_os_map(0, zl_align_up(p->before + p->page_offset + p->after, ZL_PAGE), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	if (zl_is_error(memory))
		return false;
	p->tp = (uintptr_t)memory + p->before + p->page_offset;
	dtv = fill_head(p);
	libc.init((void *)p->tp, true);
	while (map->l_prev)
		map = map->l_prev;
	for (; map; map = map->l_next)
		add_object(p, dtv, map);
	p->dtv_used = measure_dtv(dtv);
	find_fork(handle);
	if (first)
		fill_first(first);
	return true;
}
