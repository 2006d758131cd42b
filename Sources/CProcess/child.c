#define _GNU_SOURCE
#include "CProcess.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static sigset_t mask;
static int ignores_pipe;

// Runs before main, because the task threads block all signals and the networking library ignores SIGPIPE.
__attribute__((constructor)) static void save_signal_state(void) {
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ignores_pipe = signal_is_ignored(SIGPIPE);
}

int signal_is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int pipe_cloexec(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

// Async-signal-safe calls only, as POSIX requires between fork and exec in a process with threads.
static void exec_program(const struct child_program *program, pid_t parent, int report) {
    // The secrets must not outlive the masking parent. Another parent means that it has ended meanwhile.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(127);
    if (program->output >= 0 && dup2(program->output, STDOUT_FILENO) < 0) goto failed;
    if (program->errors >= 0 && dup2(program->errors, STDERR_FILENO) < 0) goto failed;
    // The networking library ignores SIGPIPE. Other signals are unchanged, and exec resets handlers.
    signal(SIGPIPE, ignores_pipe ? SIG_IGN : SIG_DFL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    execve(program->path, program->arguments, program->environment);
failed:;
    int error = errno;
    ssize_t ignored = write(report, &error, sizeof error);
    (void)ignored;
    _exit(127);
}

int process_exec(const char *path, char *const *arguments, char *const *environment) {
    signal(SIGPIPE, ignores_pipe ? SIG_IGN : SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    execve(path, arguments, environment);
    return errno;
}

int child_start(const struct child_program *program, pid_t *child) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return errno;
    pid_t parent = getpid();
    *child = fork();
    if (*child == 0) exec_program(program, parent, report[1]);
    int error = *child < 0 ? errno : 0;
    close(report[1]);
    if (*child > 0) {
        ssize_t count;
        while ((count = read(report[0], &error, sizeof error)) < 0 && errno == EINTR) {}
        if (count != sizeof error) error = 0;
        if (error != 0) while (waitpid(*child, NULL, 0) < 0 && errno == EINTR) {}
    }
    close(report[0]);
    return error;
}
