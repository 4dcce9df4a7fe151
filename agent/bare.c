/* bare.c - loads one shared object without the dynamic linker: the decoder
 *
 * dlmopen() of Zydis brings along a libc, which takes half a millisecond in every process that starts, and two private
 * pages for each of ours. But all that Zydis asks a libc for are a few functions on memory, and those for what must not
 * happen: the agent has them. So its file is mapped here, relocated, and bound to what the caller gives. Segments keep
 * sharing the file's pages; what only relocations write is made read-only behind them.
 *
 * Only what is known to be right without ld.so is taken. No:
 *   thread variables, indirect functions      need ld.so's help later on
 *   constructors, but the compiler's own      the one of crtbegin.o does nothing in such an object, and is not run
 *   relocations other than four kinds, or of anything but the one writable segment
 *   names that it doesn't define, but for the caller's; weak ones are 0, as ld.so has them
 * For all else the answer is -ENOEXEC, and the caller lets ld.so do it. So an object is never half loaded; what it
 * defines itself, it is bound to itself. Each offset is checked, because the file may be a broken one.
 */
#include "agent/bare.h"
#include "base/os.h"
#include "base/string.h"
#include <asm/stat.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include "base/poison.h"

enum { HEADERS = 1024, MOST_SEGMENTS = 8, LARGEST = 1 << 26, WORD = 8, ONE_CONSTRUCTOR = WORD };
/* What linux/elf.h lacks. */
enum { TAG_INIT_ARRAY_SIZE = 27, TAG_RELR = 36, TAG_GNU_HASH = 0x6ffffef5, KIND_INDIRECT = 10 };
enum { RELOCATION_64 = 1, RELOCATION_GOT = 6, RELOCATION_PLT = 7, RELOCATION_RELATIVE = 8 };

struct zl_bare {
	uintptr_t base;
	size_t size;
	unsigned count;
	Elf64_Phdr segment[MOST_SEGMENTS];           /* ascending, no two in one page */
	const Elf64_Phdr *writable;                  /* one of them */
	Elf64_Phdr dynamic, relro;
	uint64_t symbols, names, names_size, hash;   /* offsets */
	struct table { uint64_t at, size; } table[2];   /* of relocations */
};

/* Where these bytes are, if they lie in one segment, else NULL. */
static const void *find(const struct zl_bare *o, uint64_t offset, uint64_t size)
{
	for (unsigned i = 0; i < o->count; i++) {
		const Elf64_Phdr *s = &o->segment[i];
		if (offset - s->p_vaddr < s->p_memsz && size <= s->p_memsz - (offset - s->p_vaddr))
			return (const void *)(o->base + offset);
	}
	return NULL;
}

static bool add_segment(struct zl_bare *o, const Elf64_Phdr *s, uint64_t file_size)
{
	bool is_writable = s->p_flags & PF_W;

	if (o->count == MOST_SEGMENTS || !(s->p_flags & PF_R) || s->p_vaddr < o->size || s->p_vaddr > LARGEST ||
	    s->p_memsz > LARGEST || s->p_filesz == 0 || s->p_filesz > s->p_memsz || s->p_offset > file_size ||
	    s->p_filesz > file_size - s->p_offset || (s->p_vaddr - s->p_offset) % ZL_PAGE != 0 ||
	    (o->count == 0 && (is_writable || s->p_vaddr != 0 || s->p_offset != 0)) ||
	    (is_writable && (o->writable || s->p_flags & PF_X)) || (!is_writable && s->p_filesz != s->p_memsz))
		return false;
	if (is_writable)
		o->writable = &o->segment[o->count];
	o->segment[o->count++] = *s;
	o->size = zl_align_up(s->p_vaddr + s->p_memsz, ZL_PAGE);
	return true;
}

static bool read_headers(struct zl_bare *o, const uint8_t *bytes, size_t size, uint64_t file_size)
{
	static const uint8_t identity[] = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT };
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
	const Elf64_Phdr *part = (const Elf64_Phdr *)(bytes + sizeof(*header));

	if (size < sizeof(*header) || memcmp(bytes, identity, sizeof(identity)) != 0 || header->e_type != ET_DYN ||
	    header->e_machine != EM_X86_64 || header->e_phentsize != sizeof(*part) ||
	    header->e_phoff != sizeof(*header) || header->e_phnum > (size - sizeof(*header)) / sizeof(*part))
		return false;
	for (unsigned i = 0; i < header->e_phnum; i++, part++) {
		if (part->p_type == PT_TLS || (part->p_type == PT_LOAD && !add_segment(o, part, file_size)))
			return false;
		if (part->p_type == PT_DYNAMIC)
			o->dynamic = *part;
		if (part->p_type == PT_GNU_RELRO)
			o->relro = *part;
	}
	return o->writable && o->dynamic.p_memsz && o->dynamic.p_vaddr % WORD == 0;
}

static int protection_of(const Elf64_Phdr *s)
{
	return PROT_READ | (s->p_flags & PF_W ? PROT_WRITE : 0) | (s->p_flags & PF_X ? PROT_EXEC : 0);
}

/* Over the mapping of the whole file, whose rights are the first segment's. What the file doesn't fill is zero. */
static long map_segment(const struct zl_bare *o, const Elf64_Phdr *s, int fd)
{
	uintptr_t at = o->base + zl_align_down(s->p_vaddr, ZL_PAGE), bytes = o->base + s->p_vaddr + s->p_filesz;
	uintptr_t end = zl_align_up(bytes, ZL_PAGE), last = zl_align_up(o->base + s->p_vaddr + s->p_memsz, ZL_PAGE);
	long result = 0;

	if (s->p_vaddr != s->p_offset || protection_of(s) != protection_of(&o->segment[0]))
		result = zl_os_map_over(at, end - at, protection_of(s), fd, zl_align_down(s->p_offset, ZL_PAGE));
	if (zl_is_error(result))
		return result;
	if (s->p_memsz > s->p_filesz)
		memset((void *)bytes, 0, end - bytes);
	if (last > end)
		result = zl_os_map_over(end, last - end, protection_of(s), -1, 0);
	return zl_is_error(result) ? result : 0;
}

static bool read_dynamic(struct zl_bare *o)
{
	const Elf64_Dyn *entry = find(o, o->dynamic.p_vaddr, o->dynamic.p_memsz);
	size_t count = o->dynamic.p_memsz / sizeof(*entry);

	for (size_t i = 0; entry && i < count && entry[i].d_tag != DT_NULL; i++) {
		uint64_t value = entry[i].d_un.d_val;
		switch (entry[i].d_tag) {
		case DT_SYMTAB: o->symbols = value; break;
		case DT_STRTAB: o->names = value; break;
		case DT_STRSZ: o->names_size = value; break;
		case TAG_GNU_HASH: o->hash = value; break;
		case DT_RELA: o->table[0].at = value; break;
		case DT_RELASZ: o->table[0].size = value; break;
		case DT_JMPREL: o->table[1].at = value; break;
		case DT_PLTRELSZ: o->table[1].size = value; break;
		case TAG_INIT_ARRAY_SIZE:
			if (value > ONE_CONSTRUCTOR)
				return false;
			break;
		case DT_REL: case DT_TEXTREL: case TAG_RELR:
			return false;
		default:
			break;
		}
	}
	if (!entry || (o->symbols | o->hash | o->table[0].at | o->table[1].at) % WORD != 0 || !o->names_size)
		return false;
	return find(o, o->names, o->names_size) && *(const char *)find(o, o->names + o->names_size - 1, 1) == '\0';
}

/* The symbol's name, or NULL. */
static const char *name_of(const struct zl_bare *o, const Elf64_Sym *symbol)
{
	return symbol->st_name < o->names_size ? (const char *)(o->base + o->names + symbol->st_name) : NULL;
}

static const Elf64_Sym *symbol_at(const struct zl_bare *o, uint64_t i)
{
	return find(o, o->symbols + i * sizeof(Elf64_Sym), sizeof(Elf64_Sym));
}

static bool resolve(const struct zl_bare *o, uint64_t i, const struct zl_import *import, uintptr_t *value)
{
	const Elf64_Sym *symbol = symbol_at(o, i);
	const char *name = symbol ? name_of(o, symbol) : NULL;

	*value = 0;
	if (!name || ELF_ST_TYPE(symbol->st_info) == STT_TLS || ELF_ST_TYPE(symbol->st_info) == KIND_INDIRECT)
		return false;
	if (symbol->st_shndx != SHN_UNDEF) {
		*value = o->base + symbol->st_value;
		return true;
	}
	for (; import->name; import++)
		if (zl_equal(name, import->name)) {
			*value = (uintptr_t)import->address;
			return true;
		}
	return ELF_ST_BIND(symbol->st_info) == STB_WEAK;
}

static bool relocate(const struct zl_bare *o, const struct table *table, const struct zl_import *imports)
{
	const Elf64_Rela *r = find(o, table->at, table->size), *end;
	uint64_t first = o->writable->p_vaddr, room = o->writable->p_memsz;
	uintptr_t value;

	if (!r || room < sizeof(value))
		return table->size == 0;
	for (end = r + table->size / sizeof(*r); r < end; r++) {
		uint64_t kind = ELF64_R_TYPE(r->r_info);

		if (r->r_offset - first > room - sizeof(value))
			return false;
		if (kind == RELOCATION_RELATIVE)
			value = o->base;
		else if ((kind != RELOCATION_64 && kind != RELOCATION_GOT && kind != RELOCATION_PLT) ||
			 !resolve(o, ELF64_R_SYM(r->r_info), imports, &value))
			return false;
		value += (uint64_t)r->r_addend;
		memcpy((void *)(o->base + r->r_offset), &value, sizeof(value));   /* Zydis has packed structs */
	}
	return true;
}

static long close_relro(const struct zl_bare *o)
{
	uint64_t first = zl_align_down(o->relro.p_vaddr, ZL_PAGE);
	uint64_t end = zl_align_down(o->relro.p_vaddr + o->relro.p_memsz, ZL_PAGE);

	if (end <= first)
		return 0;
	if (!find(o, o->relro.p_vaddr, o->relro.p_memsz))
		return -ENOEXEC;
	return zl_os_protect(o->base + first, end - first, PROT_READ);
}

static long load(struct zl_bare *o, int fd, const struct zl_import *imports)
{
	static _Alignas(Elf64_Ehdr) uint8_t headers[HEADERS];
	long size = zl_os_read_at(fd, headers, sizeof(headers), 0), result;
	struct stat st;

	if (zl_is_error(size))
		return size;
	if (zl_raw(__NR_fstat, fd, &st) != 0 || !read_headers(o, headers, (size_t)size, (uint64_t)st.st_size))
		return -ENOEXEC;
	result = zl_os_map(0, o->size, protection_of(&o->segment[0]), MAP_PRIVATE, fd);
	if (zl_is_error(result))
		return result;
	o->base = (uintptr_t)result;
	for (unsigned i = 0; i < o->count; i++) {
		result = map_segment(o, &o->segment[i], fd);
		if (zl_is_error(result))
			return result;
	}
	if (!read_dynamic(o) || !relocate(o, &o->table[0], imports) || !relocate(o, &o->table[1], imports))
		return -ENOEXEC;
	return close_relro(o);
}

const struct zl_bare *zl_bare_load(const char *path, const struct zl_import *imports, long *error)
{
	static struct zl_bare object;
	long fd = zl_os_open(path, O_RDONLY);

	memset(&object, 0, sizeof(object));
	*error = fd;
	if (zl_is_error(fd))
		return NULL;
	*error = load(&object, (int)fd, imports);
	zl_raw(__NR_close, fd);
	if (*error == 0)
		return &object;
	if (object.base)
		zl_os_unmap(object.base, object.size);
	return NULL;
}

/* One word of the hash table. */
static bool get(const struct zl_bare *o, uint64_t index, uint32_t *word)
{
	const uint32_t *at = find(o, o->hash + index * sizeof(*word), sizeof(*word));

	if (at)
		*word = *at;
	return at;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;
	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

/* DT_GNU_HASH: buckets, first symbol, words of the filter (of 64 bits), its shift; filter; buckets; chains of hashes,
 * whose last has bit 0. */
void *zl_bare_symbol(const struct zl_bare *o, const char *name)
{
	uint32_t hash = hash_of(name), buckets, first, words, i, link;
	uint64_t bucket;

	if (!o->hash || !get(o, 0, &buckets) || !get(o, 1, &first) || !get(o, 2, &words) || buckets == 0)
		return NULL;
	bucket = 4 + 2ULL * words;
	if (!get(o, bucket + hash % buckets, &i) || i < first)
		return NULL;
	for (;; i++) {
		const Elf64_Sym *symbol = symbol_at(o, i);

		if (!symbol || !get(o, bucket + buckets + (i - first), &link))
			return NULL;
		if ((link | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
		    ELF_ST_TYPE(symbol->st_info) == STT_FUNC && name_of(o, symbol) &&
		    zl_equal(name_of(o, symbol), name))
			return (void *)(o->base + symbol->st_value);
		if (link & 1)
			return NULL;
	}
}
