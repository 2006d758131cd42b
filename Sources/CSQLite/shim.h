/* Declares the preupdate hook, which Debian's library has. */
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include <sqlite3.h>
#include <stdint.h>
#include <sys/vfs.h>

/* sqlite3_db_config is variadic, which Swift cannot call. */
static inline int clavitor_db_config(sqlite3 *database, int option, int value) {
    return sqlite3_db_config(database, option, value, (int *)0);
}

/* Swift's Glibc module lacks statfs(2). */
static inline int clavitor_filesystem_magic(const char *path, uint32_t *magic) {
    struct statfs answer;
    if (statfs(path, &answer) != 0) return -1;
    *magic = (uint32_t)answer.f_type;
    return 0;
}
