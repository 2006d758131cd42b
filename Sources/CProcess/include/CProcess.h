// What a process says to the system about itself, by calls that glibc's Swift module does not show.
#pragma once

// Gives large pieces back to the system when they are freed, and keeps threads from hoarding pools of their own.
void allocator_stay_small(void);

// No core file, and no debugger or /proc/PID/mem for another process of the same user. Returns 0, or errno.
int process_hide_memory(void);
