#include "CProcess.h"
#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int process_deny_inspection(void) {
    const struct rlimit none = {0, 0};
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno;
    // A system call filter may deny setrlimit; then the systemd unit has set the limit.
    struct rlimit now;
    if (setrlimit(RLIMIT_CORE, &none) != 0 && (getrlimit(RLIMIT_CORE, &now) != 0 || now.rlim_cur != 0)) return errno;
    return 0;
}
