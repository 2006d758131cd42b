// The monitor's pages, part of the program.
#pragma once
#include <stddef.h>

typedef struct {
    const unsigned char *start;
    size_t size;
} monitor_asset;

monitor_asset monitor_index_html(void);
monitor_asset monitor_status_html(void);
monitor_asset monitor_css(void);
monitor_asset monitor_js(void);
monitor_asset monitor_status_js(void);
monitor_asset monitor_world_svg(void);
monitor_asset monitor_openapi_json(void);
