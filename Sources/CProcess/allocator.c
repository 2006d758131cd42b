#include "CProcess.h"
#include <malloc.h>

void allocator_stay_small(void) {
    // By itself the threshold grows with what was freed, up to 32 MB, and such pieces then stay in the heap.
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    // Eight for each processor otherwise.
    mallopt(M_ARENA_MAX, 2);
}
