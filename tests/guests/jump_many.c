/* jump_many - issue 5: more sites near each other than a few pools of stubs hold */
#include "jump.h"

CODE_PAGE_OF_CALLS(image, 102);

int main(void)
{
	enum { PAGES = 120 };
	static unsigned char text[PAGES * CODE_PAGE];
	for (int i = 0; i < PAGES; i++)
		memcpy(text + i * CODE_PAGE, image, CODE_PAGE);
	unsigned char *code = file_code(code_file(text, sizeof(text)), PAGES, NULL, 0);
	for (int again = 0; again < 3; again++)
		for (int i = 0; i < PAGES; i++)
			run_page(code + i * CODE_PAGE, CALLS);
	say("%d pages", PAGES);
	return 0;
}
