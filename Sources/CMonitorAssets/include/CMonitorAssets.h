// The monitor's pages, embedded into the program.
#pragma once
#include <stddef.h>

typedef struct {
    const char *path;
    const char *type;
    const unsigned char *bytes;
    size_t size;
} monitor_asset;

// The number of assets, and the asset at `index`.
size_t monitor_asset_count(void);
monitor_asset monitor_asset_at(size_t index);
