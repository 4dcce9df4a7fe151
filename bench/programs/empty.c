/* empty.c - a preload that does nothing: what LD_PRELOAD itself costs at start (bench/startup) */
extern const int bench_empty;
const int bench_empty = 1;
