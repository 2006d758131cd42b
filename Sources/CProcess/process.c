#include "CProcess.h"
#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int process_hide_memory(void) {
    const struct rlimit none = {0, 0};
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno;
    // A system call filter may refuse this; then the unit has set it.
    struct rlimit now;
    if (setrlimit(RLIMIT_CORE, &none) != 0 && (getrlimit(RLIMIT_CORE, &now) != 0 || now.rlim_cur != 0)) return errno;
    return 0;
}
