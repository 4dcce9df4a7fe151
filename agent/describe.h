/* describe.h - what ZLAZY_DEBUG=1 tells of a process image */
#ifndef ZL_AGENT_DESCRIBE_H
#define ZL_AGENT_DESCRIBE_H

/* One line: program, tactic, sled, decoder, hooks. why_trapping: why nothing is rewritten, where page zero is not in
 * use. @init */
void zl_describe_start(const char *why_trapping);

#endif
