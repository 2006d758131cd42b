// What a process says to the system about itself, by calls that glibc's Swift module does not show.
#pragma once

// Gives large pieces back to the system when they are freed, and keeps threads from hoarding pools of their own.
void allocator_stay_small(void);

// No core file, and no debugger or /proc/PID/mem for another process of the same user. Returns 0, or errno.
int process_hide_memory(void);

#include <signal.h>
#include <sys/types.h>

int signal_is_ignored(int number);

// A pipe that no other program inherits. Returns 0, or errno.
int pipe_of_own(int *read_end, int *write_end);

// Makes this process another program, with the signals that it was given itself. Returns, with errno, only when that
// cannot be done.
int process_become(const char *path, char *const *arguments, char *const *environment);

struct child_program {
    const char *path;
    char *const *arguments;
    char *const *environment;
    // Descriptors that become its standard output and error; -1 leaves them as they are here.
    int output;
    int errors;
};

// Starts a program that ends with the thread that called this, whatever ends that. Signals that were ignored when this
// process began are ignored there, and what is caught here is not. Returns 0, or the errno of fork or exec.
int child_start(const struct child_program *program, pid_t *child);
