/* image.c - see image.h
 *
 * The image comes from memory that a launcher may have prepared, so every offset in it is checked before it is used.
 * (System V ABI, AMD64 supplement; LSB, "Exception Frames".)
 *
 * How many symbols there are tells the hash table, of the one kind or the other: the number of chains, or the end of
 * the last bucket's chain.
 */
#include "lazy/image.h"
#include "base/string.h"
#include <linux/elf.h>
#include "base/poison.h"

enum { GNU_HASH = 0x6ffffef5, EH_FRAME_HEADER = 0x6474e550 };   /* DT_GNU_HASH, PT_GNU_EH_FRAME */
enum { MOST_SYMBOLS = 1000, CLASS_AT = 4, IS_64_BIT = 2 };

static bool get(const struct zl_image *image, uint64_t offset, void *to, size_t size)
{
	if (size > image->size || offset > image->size - size)
		return false;
	memcpy(to, image->bytes + offset, size);
	return true;
}

static bool get_word(const struct zl_image *image, uint64_t offset, uint32_t *word)
{
	return get(image, offset, word, sizeof(*word));
}

/* DT_HASH: buckets, chains, ... */
static bool count_plain(struct zl_image *image, uint64_t hash)
{
	uint32_t chains;
	if (!get_word(image, hash + sizeof(uint32_t), &chains))
		return false;
	image->count = chains;
	return true;
}

/* DT_GNU_HASH: buckets, first symbol, words of the filter, its shift; filter; buckets; chains, whose last has bit 0. */
static bool count_gnu(struct zl_image *image, uint64_t hash)
{
	struct { uint32_t buckets, first, words, shift; } header;
	uint64_t buckets, chains;
	uint32_t last = 0, word;

	if (!get(image, hash, &header, sizeof(header)))
		return false;
	buckets = hash + sizeof(header) + 8ULL * header.words;
	chains = buckets + 4ULL * header.buckets;
	for (uint64_t i = 0; i < header.buckets; i++) {
		if (!get_word(image, buckets + 4 * i, &word))
			return false;
		if (word > last)
			last = word;
	}
	if (last < header.first)
		return false;
	do {
		if (!get_word(image, chains + 4ULL * (last - header.first), &word))
			return false;
		last++;
	} while (!(word & 1));
	image->count = last;
	return true;
}

static bool read_dynamic(struct zl_image *image, const Elf64_Phdr *segment)
{
	uint64_t plain = 0, gnu = 0;
	Elf64_Dyn entry;

	for (uint64_t at = segment->p_vaddr - image->bias;; at += sizeof(entry)) {
		uint64_t offset;
		if (!get(image, at, &entry, sizeof(entry)))
			return false;
		offset = entry.d_un.d_ptr - image->bias;
		if (entry.d_tag == DT_NULL)
			break;
		else if (entry.d_tag == DT_SYMTAB)
			image->symbols = offset;
		else if (entry.d_tag == DT_STRTAB)
			image->names = offset;
		else if (entry.d_tag == DT_STRSZ)
			image->names_size = entry.d_un.d_val;
		else if (entry.d_tag == DT_HASH)
			plain = offset;
		else if (entry.d_tag == GNU_HASH)
			gnu = offset;
	}
	if (!image->symbols || !image->names || image->names_size > image->size ||
	    image->names > image->size - image->names_size)
		return false;
	return (plain && count_plain(image, plain)) || (gnu && count_gnu(image, gnu));
}

/* The loaded part is one segment, which begins with the header. */
static bool read_segments(struct zl_image *image, const Elf64_Ehdr *header, Elf64_Phdr *dynamic)
{
	bool is_loaded = false, is_dynamic = false;
	Elf64_Phdr segment;
	uint64_t frames = 0;

	for (unsigned i = 0; i < header->e_phnum; i++) {
		if (!get(image, header->e_phoff + i * sizeof(segment), &segment, sizeof(segment)))
			return false;
		if (segment.p_type == PT_LOAD) {
			if (is_loaded || segment.p_offset != 0 || segment.p_filesz > image->size)
				return false;
			image->bias = segment.p_vaddr;
			image->size = segment.p_filesz;
			is_loaded = true;
		} else if (segment.p_type == PT_DYNAMIC) {
			*dynamic = segment;
			is_dynamic = true;
		} else if (segment.p_type == EH_FRAME_HEADER) {
			frames = segment.p_vaddr;
		}
	}
	image->frames = frames ? frames - image->bias : 0;
	return is_loaded && is_dynamic;
}

bool zl_image_read(struct zl_image *image, uint8_t *bytes, size_t size)
{
	Elf64_Ehdr header;
	Elf64_Phdr dynamic = { 0 };

	*image = (struct zl_image){ .bytes = bytes, .size = size };
	return get(image, 0, &header, sizeof(header)) && memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
	       header.e_ident[CLASS_AT] == IS_64_BIT && header.e_machine == EM_X86_64 && header.e_type == ET_DYN &&
	       header.e_phentsize == sizeof(Elf64_Phdr) && read_segments(image, &header, &dynamic) &&
	       read_dynamic(image, &dynamic) && image->count <= MOST_SYMBOLS;
}

static bool ends(const struct zl_image *image, size_t name)
{
	for (; name < image->names_size; name++)
		if (!image->bytes[image->names + name])
			return true;
	return false;
}

bool zl_image_function(const struct zl_image *image, size_t i, struct zl_function *function)
{
	Elf64_Sym symbol;

	if (!get(image, image->symbols + i * sizeof(symbol), &symbol, sizeof(symbol)) ||
	    (symbol.st_info & 0xf) != STT_FUNC || symbol.st_shndx == SHN_UNDEF || !ends(image, symbol.st_name))
		return false;
	function->name = (const char *)image->bytes + image->names + symbol.st_name;
	function->offset = symbol.st_value - image->bias;
	function->size = symbol.st_size;
	return function->size <= image->size && function->offset <= image->size - function->size;
}

/* The description of one function: length, back to the common one, start, size, length of the augmentation, that, and
 * then the instructions. `at` is its offset, start the offset of the function. */
static uint8_t *instructions(const struct zl_image *image, uint64_t at, size_t offset, size_t *size)
{
	enum { BEFORE_START = 8, BEFORE_AUGMENTATION = 16 };
	uint32_t length;
	int32_t start;
	uint8_t augmentation;

	if (!get_word(image, at, &length) || !get(image, at + BEFORE_START, &start, sizeof(start)) ||
	    !get(image, at + BEFORE_AUGMENTATION, &augmentation, 1) || at + BEFORE_START + (uint64_t)start != offset ||
	    length > image->size || length + sizeof(length) < BEFORE_AUGMENTATION + 1ULL + augmentation || augmentation > 127)
		return NULL;
	*size = length + sizeof(length) - BEFORE_AUGMENTATION - 1 - augmentation;
	at += BEFORE_AUGMENTATION + 1ULL + augmentation;
	return *size <= image->size && at <= image->size - *size ? image->bytes + at : NULL;
}

uint8_t *zl_image_frame(const struct zl_image *image, size_t offset, size_t *size)
{
	/* version 1; pointer: relative to itself, 4 bytes; count: 4 bytes; table: relative to the header, 4 bytes */
	static const uint8_t usual[] = { 1, 0x1b, 0x03, 0x3b };
	enum { COUNT = 8, TABLE = 12 };
	uint8_t kinds[sizeof(usual)];
	struct { int32_t start, description; } row;
	uint32_t rows;

	if (!image->frames || !get(image, image->frames, kinds, sizeof(kinds)) || memcmp(kinds, usual, sizeof(usual)) != 0 ||
	    !get_word(image, image->frames + COUNT, &rows))
		return NULL;
	for (uint64_t i = 0; i < rows; i++) {
		if (!get(image, image->frames + TABLE + i * sizeof(row), &row, sizeof(row)))
			return NULL;
		if (image->frames + (uint64_t)row.start == offset)
			return instructions(image, image->frames + (uint64_t)row.description, offset, size);
	}
	return NULL;
}
