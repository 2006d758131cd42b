// Settings of glibc's malloc, which its Swift module does not show.
#pragma once

// Gives large pieces back to the system when they are freed, and keeps threads from hoarding pools of their own.
void allocator_stay_small(void);
