/* redzone_data - row 5: data at -8(%rsp) .. -128(%rsp) is intact after a call of hand-written leaf code */
#include "guest.h"

#define SLOTS "8,16,24,32,40,48,56,64,72,80,88,96,104,112,120,128"
/* long name(nr): number of the first changed slot, or 0. */
#define LEAF(name, slots, between, number) asm(".text\n" name ":\n" \
	".irp n," slots "\nmovq $0x5a5a0000+\\n,-\\n(%rsp)\n.endr\n" between number "\nsyscall\n" \
	".irp n," slots "\nmovl $\\n,%edx\ncmpq $0x5a5a0000+\\n,-\\n(%rsp)\njne 9f\n.endr\nxorl %edx,%edx\n" \
	"9: movl %edx,%eax\nret\n")
LEAF("all_slots", SLOTS, "", "movl $102,%eax");
LEAF("all_variable", SLOTS, "", "movl %edi,%eax");
LEAF("first_slot", "8", "", "movl $102,%eax");
LEAF("second_slot", "16", "", "movl $102,%eax");
LEAF("last_slot", "128", "", "movl $102,%eax");
LEAF("stored_long_before", "8", ".skip 150,0x90\n", "movl $102,%eax");
LEAF("behind_a_branch", "8", "testl %edi,%edi\njz 1f\nnop\nnop\n1: jmp 2f\n.skip 20,0xcc\n2: ", "movl $102,%eax");
LEAF("with_error", SLOTS, "", "movl $500,%eax");
typedef long leaf(long nr);
extern leaf all_slots, all_variable, first_slot, second_slot, last_slot, stored_long_before, behind_a_branch, with_error;

int main(void)
{
	static const struct { const char *name; leaf *call; } leaves[] = { { "all", all_slots }, { "number in a register",
		all_variable }, { "-8", first_slot }, { "-16", second_slot }, { "-128", last_slot }, { "stored long before",
		stored_long_before }, { "behind a branch", behind_a_branch }, { "failing call", with_error } };
	for (size_t i = 0; i < COUNT_OF(leaves); i++) {
		for (int again = 0; again < 20; again++) {
			long changed = leaves[i].call(102);
			if (changed)
				FAIL("%s: -%ld(%%rsp) changed in call %d", leaves[i].name, changed, again);
		}
		say("%s: kept", leaves[i].name);
	}
	return 0;
}
