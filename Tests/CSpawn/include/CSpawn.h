// Actions of posix_spawn that glibc's Swift module does not export.
#pragma once
#include <spawn.h>

// Closes all descriptors of the child from `first` on. Returns 0 or an error number.
int spawn_add_close_from(posix_spawn_file_actions_t *actions, int first);

// Sets the child's working directory. Returns 0 or an error number.
int spawn_add_chdir(posix_spawn_file_actions_t *actions, const char *folder);
