// Process control through system calls that glibc's Swift module does not export.
#pragma once

// Returns large allocations to the system when they are freed, and limits the number of malloc arenas.
void allocator_limit_growth(void);

// Disables core files, and denies other processes of the same user ptrace and /proc/PID/mem. Returns 0 or errno.
int process_deny_inspection(void);

#include <signal.h>
#include <sys/types.h>

int signal_is_ignored(int number);

// Creates a pipe with close-on-exec. Returns 0 or errno.
int pipe_cloexec(int *read_end, int *write_end);

// Replaces this process by another program, with its original signal mask and SIGPIPE action. Returns errno, only on failure.
int process_exec(const char *path, char *const *arguments, char *const *environment);

struct child_program {
    const char *path;
    char *const *arguments;
    char *const *environment;
    // File descriptors for its standard output and error; -1 inherits them.
    int output;
    int errors;
};

// Starts a child that is killed when the calling thread ends (PR_SET_PDEATHSIG). Signals that were ignored when this process
// started are ignored in the child; handlers are reset. Returns 0, or the errno of fork or exec.
int child_start(const struct child_program *program, pid_t *child);
