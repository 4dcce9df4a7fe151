/* plugin_relocated - rows 1, 7: a library with relocations in its code, whose pages the dynamic linker has had
 * writable */
#include "plugin.h"

int main(int count, char **arguments)
{
	char path[512];
	(void)count;
	plugin_folder = arguments[0];
	for (int round = 0; round < 20; round++) {
		int copy = round % 2 ? plugin_copy("plugin_relocated_code", path) : -1;
		void *plugin = dlopen(copy < 0 ? plugin_path("plugin_relocated_code", path) : path, RTLD_NOW);
		long (*call)(void) = (long (*)(void))plugin_symbol(plugin, "relocated_call");
		long *(*address)(void) = (long *(*)(void))plugin_symbol(plugin, "relocated_address");
		for (int again = 0; again < 3; again++)
			CHECK_EQ(call(), getuid());
		CHECK(address() == plugin_symbol(plugin, "relocated_data") && *address() == 4711);
		CHECK(dlclose(plugin) == 0);
		if (copy >= 0)
			CHECK(close(copy) == 0);
	}
	say("20 times opened");
	return 0;
}
