/* zydis.c - fills a struct zl_decoder from Zydis 4, of which nothing is linked: all is reached by pointers
 *
 * Start-up loads libZydis (load.c) and calls zl_zydis_bind() with a lookup there. After that the table is read by
 * zl_judge() in the SIGSYS handler. Zydis allocates nothing and makes no system call, but reads its stack canary
 * through fs: the caller sees to it that fs points to a thread block.
 *
 * Two decoders. A minimal one gives the length, the mnemonic and the raw ModRM, SIB and displacement fields, which
 * is all that most instructions need. Only one whose bytes may name rsp or rbp, as a base with a negative
 * displacement or as a register, is decoded again in full, with its operands, at several times the price.
 */
#include "agent/zydis.h"
#include "lazy/decoder.h"
#include <Zydis/Decoder.h>
#include <asm/errno.h>
#include <limits.h>
#include <stddef.h>
#include "base/poison.h"

#define ZYDIS_MAJOR 4

enum { STACK_WORD = 8, BITS = 8, NAMES_RSP_OR_RBP = 4, OPCODE_STORE = 0x89 };

static struct {
	ZyanU64 (*version)(void);
	ZyanStatus (*init)(ZydisDecoder *, ZydisMachineMode, ZydisStackWidth);
	ZyanStatus (*enable)(ZydisDecoder *, ZydisDecoderMode, ZyanBool);
	ZyanStatus (*instruction)(const ZydisDecoder *, ZydisDecoderContext *, const void *, ZyanUSize,
	                          ZydisDecodedInstruction *);
	ZyanStatus (*full)(const ZydisDecoder *, const void *, ZyanUSize, ZydisDecodedInstruction *,
	                   ZydisDecodedOperand *);
	ZydisDecoder minimal, complete;
} zydis;

static int find_length(const uint8_t *bytes, unsigned available)
{
	ZydisDecodedInstruction raw;

	return ZYAN_SUCCESS(zydis.instruction(&zydis.minimal, NULL, bytes, available, &raw)) ? raw.length : 0;
}

static enum zl_flow flow_of(const ZydisDecodedInstruction *raw)
{
	bool is_direct = raw->raw.imm[0].is_relative;

	switch (raw->mnemonic) {
	case ZYDIS_MNEMONIC_CALL:
		return ZL_FLOW_CALL;
	case ZYDIS_MNEMONIC_JMP:
		return is_direct ? ZL_FLOW_JUMP : ZL_FLOW_AWAY;
	case ZYDIS_MNEMONIC_SYSCALL:
		return ZL_FLOW_SYSCALL;
	case ZYDIS_MNEMONIC_RET:
	case ZYDIS_MNEMONIC_IRET:
	case ZYDIS_MNEMONIC_IRETD:
	case ZYDIS_MNEMONIC_IRETQ:
	case ZYDIS_MNEMONIC_SYSRET:
	case ZYDIS_MNEMONIC_SYSEXIT:
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_INT1:
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		return ZL_FLOW_END;
	default:
		return is_direct ? ZL_FLOW_BRANCH : ZL_FLOW_NEXT;
	}
}

static bool is_padding(const ZydisDecodedInstruction *raw)
{
	return raw->mnemonic == ZYDIS_MNEMONIC_NOP || raw->mnemonic == ZYDIS_MNEMONIC_INT3 ||
	       raw->mnemonic == ZYDIS_MNEMONIC_ENDBR64;
}

/* Whether three bits of a register field name rsp or rbp; the fourth, in a REX prefix, makes it r12 or r13. */
static bool may_name(const ZydisDecodedInstruction *raw, unsigned field, unsigned rex_bit)
{
	return (field & 6) == NAMES_RSP_OR_RBP && (raw->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY || !rex_bit);
}

/* Whether a memory operand may have rsp or rbp as base and a negative displacement. */
static bool may_have_memory(const ZydisDecodedInstruction *raw)
{
	bool has_sib = raw->raw.sib.offset != 0;

	return raw->raw.modrm.offset != 0 && raw->raw.modrm.mod != 3 && raw->raw.disp.value < 0 &&
	       may_name(raw, has_sib ? raw->raw.sib.base : raw->raw.modrm.rm, raw->raw.rex.B);
}

/* Whether the instruction may write rsp or rbp. */
static bool may_have_register(const ZydisDecodedInstruction *raw)
{
	bool is_store = raw->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && raw->opcode == OPCODE_STORE;

	if (raw->raw.modrm.offset == 0)
		return may_name(raw, raw->opcode, raw->raw.rex.B);
	return (!is_store && may_name(raw, raw->raw.modrm.reg, raw->raw.rex.R)) ||
	       (raw->raw.modrm.mod == 3 && may_name(raw, raw->raw.modrm.rm, raw->raw.rex.B));
}

static bool is_rsp(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_RSP || reg == ZYDIS_REGISTER_ESP || reg == ZYDIS_REGISTER_SP ||
	       reg == ZYDIS_REGISTER_SPL;
}

static bool is_rbp(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_RBP || reg == ZYDIS_REGISTER_EBP || reg == ZYDIS_REGISTER_BP ||
	       reg == ZYDIS_REGISTER_BPL;
}

static bool fits_int32(ZyanI64 value)
{
	return value >= INT_MIN && value <= INT_MAX;
}

/* Note a memory operand with a negative displacement from rsp or rbp. */
static void read_memory(const ZydisDecodedOperand *operand, struct zl_insn *insn)
{
	const ZydisDecodedOperandMem *mem = &operand->mem;
	bool has_base = is_rsp(mem->base) || is_rbp(mem->base);

	if (!has_base || mem->disp.value >= 0 || mem->segment == ZYDIS_REGISTER_FS || mem->segment == ZYDIS_REGISTER_GS)
		return;
	insn->base = is_rsp(mem->base) ? ZL_BASE_RSP : ZL_BASE_RBP;
	insn->displacement = (int32_t)mem->disp.value;
	insn->size = mem->type == ZYDIS_MEMOP_TYPE_MEM && mem->index == ZYDIS_REGISTER_NONE ? operand->size / BITS : 0;
}

/* rsp is set to something plus an immediate: n for add, -n for sub. */
static void read_arithmetic(const ZydisDecodedOperand *source, int sign, struct zl_insn *insn)
{
	if (source->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && fits_int32(source->imm.value.s)) {
		insn->stack = ZL_STACK_MOVE;
		insn->amount = sign * (int32_t)source->imm.value.s;
	} else {
		insn->stack = sign < 0 ? ZL_STACK_DOWN : ZL_STACK_OTHER;
	}
}

/* The instruction writes rsp, and is no push, pop, leave or call. */
static void read_rsp_write(ZydisMnemonic mnemonic, const ZydisDecodedOperand *source, struct zl_insn *insn)
{
	insn->stack = ZL_STACK_OTHER;
	if (mnemonic == ZYDIS_MNEMONIC_SUB || mnemonic == ZYDIS_MNEMONIC_ADD) {
		read_arithmetic(source, mnemonic == ZYDIS_MNEMONIC_SUB ? -1 : 1, insn);
	} else if (mnemonic == ZYDIS_MNEMONIC_AND) {
		insn->stack = ZL_STACK_DOWN;
	} else if (mnemonic == ZYDIS_MNEMONIC_MOV && source->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		if (source->reg.value == ZYDIS_REGISTER_RBP)
			insn->stack = ZL_STACK_FROM_RBP;
	} else if (mnemonic == ZYDIS_MNEMONIC_LEA) {
		insn->base = ZL_BASE_NONE;
		insn->amount = (int32_t)source->mem.disp.value;
		if (source->mem.index == ZYDIS_REGISTER_NONE && source->mem.base == ZYDIS_REGISTER_RSP)
			insn->stack = ZL_STACK_MOVE;
		else if (source->mem.index == ZYDIS_REGISTER_NONE && source->mem.base == ZYDIS_REGISTER_RBP)
			insn->stack = ZL_STACK_FROM_RBP;
	}
}

/* The instruction writes rbp, and is no pop or leave. */
static void read_rbp_write(ZydisMnemonic mnemonic, const ZydisDecodedOperand *source, struct zl_insn *insn)
{
	insn->rbp = ZL_RBP_OTHER;
	if (mnemonic == ZYDIS_MNEMONIC_MOV && source->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		if (source->reg.value == ZYDIS_REGISTER_RSP)
			insn->rbp = ZL_RBP_FRAME;
	} else if (mnemonic == ZYDIS_MNEMONIC_LEA && source->mem.base == ZYDIS_REGISTER_RSP &&
	           source->mem.index == ZYDIS_REGISTER_NONE) {
		insn->rbp = ZL_RBP_FRAME;
		insn->frame_offset = (int32_t)source->mem.disp.value;
	}
}

static bool is_written(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
}

static void read_operands(const ZydisDecodedInstruction *whole, const ZydisDecodedOperand *operands, bool has_stack_rule,
                          struct zl_insn *insn)
{
	for (unsigned i = 0; i < whole->operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN)
			read_memory(&operands[i], insn);
	for (unsigned i = 0; i < whole->operand_count && !has_stack_rule; i++) {
		if (is_written(&operands[i]) && is_rsp(operands[i].reg.value))
			read_rsp_write(whole->mnemonic, &operands[1], insn);
		if (is_written(&operands[i]) && is_rbp(operands[i].reg.value))
			read_rbp_write(whole->mnemonic, &operands[1], insn);
	}
}

/* What push, pop, leave and the like do to rsp. Returns false for any other instruction. */
static bool read_stack(const ZydisDecodedInstruction *raw, struct zl_insn *insn)
{
	int word = raw->operand_width == 16 ? 2 : STACK_WORD;
	bool is_short_pop = raw->raw.modrm.offset == 0 && (raw->opcode & 0xf8) == 0x58 && !raw->raw.rex.B;

	switch (raw->mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
	case ZYDIS_MNEMONIC_PUSHF:
	case ZYDIS_MNEMONIC_PUSHFQ:
		insn->stack = ZL_STACK_MOVE;
		insn->amount = -word;
		return true;
	case ZYDIS_MNEMONIC_POP:
		insn->stack = ZL_STACK_MOVE;
		insn->amount = word;
		if (is_short_pop && raw->opcode == 0x5d)
			insn->stack = ZL_STACK_POP_RBP;
		if (is_short_pop && raw->opcode == 0x5c)
			insn->stack = ZL_STACK_OTHER;
		return true;
	case ZYDIS_MNEMONIC_POPF:
	case ZYDIS_MNEMONIC_POPFQ:
		insn->stack = ZL_STACK_MOVE;
		insn->amount = word;
		return true;
	case ZYDIS_MNEMONIC_LEAVE:
		insn->stack = ZL_STACK_FROM_RBP;
		insn->amount = STACK_WORD;
		return true;
	case ZYDIS_MNEMONIC_ENTER:
		insn->stack = ZL_STACK_OTHER;
		return true;
	default:
		return insn->flow != ZL_FLOW_NEXT;
	}
}

static int decode(const uint8_t *bytes, unsigned available, struct zl_insn *insn)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction raw, whole;
	bool has_stack_rule;

	if (!ZYAN_SUCCESS(zydis.instruction(&zydis.minimal, NULL, bytes, available, &raw)))
		return 0;
	*insn = (struct zl_insn){ .length = raw.length };
	insn->flow = (uint8_t)flow_of(&raw);
	insn->is_padding = is_padding(&raw);
	if (insn->flow == ZL_FLOW_BRANCH || insn->flow == ZL_FLOW_JUMP)
		insn->target = (int32_t)raw.raw.imm[0].value.s + raw.length;
	has_stack_rule = read_stack(&raw, insn);
	if (insn->is_padding || (!may_have_memory(&raw) && (has_stack_rule || !may_have_register(&raw))))
		return raw.length;
	if (!ZYAN_SUCCESS(zydis.full(&zydis.complete, bytes, available, &whole, operands)))
		return 0;
	read_operands(&whole, operands, has_stack_rule, insn);
	return raw.length;
}

static bool find_symbols(void *(*symbol)(const char *name))
{
	zydis.version = (ZyanU64 (*)(void))symbol("ZydisGetVersion");
	zydis.init = (ZyanStatus (*)(ZydisDecoder *, ZydisMachineMode, ZydisStackWidth))symbol("ZydisDecoderInit");
	zydis.enable = (ZyanStatus (*)(ZydisDecoder *, ZydisDecoderMode, ZyanBool))symbol("ZydisDecoderEnableMode");
	zydis.instruction = (ZyanStatus (*)(const ZydisDecoder *, ZydisDecoderContext *, const void *, ZyanUSize,
	                     ZydisDecodedInstruction *))symbol("ZydisDecoderDecodeInstruction");
	zydis.full = (ZyanStatus (*)(const ZydisDecoder *, const void *, ZyanUSize, ZydisDecodedInstruction *,
	              ZydisDecodedOperand *))symbol("ZydisDecoderDecodeFull");
	return zydis.version && zydis.init && zydis.enable && zydis.instruction && zydis.full;
}

int zl_zydis_bind(void *(*symbol)(const char *name))
{
	static const struct zl_decoder table = { .decode = decode, .length = find_length };

	if (!find_symbols(symbol))
		return -ENOENT;
	/* The structs above are version 4's. */
	if (zydis.version() >> 48 != ZYDIS_MAJOR)
		return -ENOSYS;
	if (!ZYAN_SUCCESS(zydis.init(&zydis.minimal, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(zydis.init(&zydis.complete, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    !ZYAN_SUCCESS(zydis.enable(&zydis.minimal, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE)))
		return -EINVAL;
	zl_decoder = &table;
	return 0;
}
