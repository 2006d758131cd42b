#include "CProcess.h"
#include <malloc.h>

void allocator_limit_growth(void) {
    // By default the threshold grows with freed sizes up to 32 MB, and such allocations then stay in the heap.
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    // The default is eight per processor.
    mallopt(M_ARENA_MAX, 2);
}
