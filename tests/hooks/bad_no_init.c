/* bad_no_init - issue 2, bad input: a library without zlazy_hook_init */
int zlazy_hook_start(void);
int zlazy_hook_start(void)
{
	return 0;
}
