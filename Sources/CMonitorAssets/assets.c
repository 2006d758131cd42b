// `#embed` (C23) takes a third of a second, SwiftPM's own embedding takes minutes.
#include "CMonitorAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define SVG "image/svg+xml"
#define JSON "application/json"

static const unsigned char index_html[] = {
#embed "web/index.html"
};
static const unsigned char status_html[] = {
#embed "web/status.html"
};
static const unsigned char monitor_css[] = {
#embed "web/monitor.css"
};
static const unsigned char monitor_js[] = {
#embed "web/monitor.js"
};
static const unsigned char actions_js[] = {
#embed "web/actions.js"
};
static const unsigned char api_js[] = {
#embed "web/api.js"
};
static const unsigned char dialog_js[] = {
#embed "web/dialog.js"
};
static const unsigned char channels_js[] = {
#embed "web/channels.js"
};
static const unsigned char chart_js[] = {
#embed "web/chart.js"
};
static const unsigned char columns_js[] = {
#embed "web/columns.js"
};
static const unsigned char dom_js[] = {
#embed "web/dom.js"
};
static const unsigned char details_js[] = {
#embed "web/details.js"
};
static const unsigned char fleet_js[] = {
#embed "web/fleet.js"
};
static const unsigned char incident_js[] = {
#embed "web/incident.js"
};
static const unsigned char incidents_js[] = {
#embed "web/incidents.js"
};
static const unsigned char map_js[] = {
#embed "web/map.js"
};
static const unsigned char node_js[] = {
#embed "web/node.js"
};
static const unsigned char stream_js[] = {
#embed "web/stream.js"
};
static const unsigned char table_js[] = {
#embed "web/table.js"
};
static const unsigned char header_js[] = {
#embed "web/header.js"
};
static const unsigned char format_js[] = {
#embed "web/format.js"
};
static const unsigned char maintenance_js[] = {
#embed "web/maintenance.js"
};
static const unsigned char status_js[] = {
#embed "web/status.js"
};
static const unsigned char world_svg[] = {
#embed "web/world.svg"
};
static const unsigned char openapi_json[] = {
#embed "web/openapi.json"
};

#define ASSET(path, type, bytes) {path, type, bytes, sizeof bytes}

static const monitor_asset assets[] = {
    ASSET("/", HTML, index_html),
    ASSET("/incidents", HTML, index_html),
    ASSET("/incidents/:id", HTML, index_html),
    ASSET("/status", HTML, status_html),
    ASSET("/assets/monitor.css", CSS, monitor_css),
    ASSET("/assets/monitor.js", SCRIPT, monitor_js),
    ASSET("/assets/actions.js", SCRIPT, actions_js),
    ASSET("/assets/api.js", SCRIPT, api_js),
    ASSET("/assets/dialog.js", SCRIPT, dialog_js),
    ASSET("/assets/channels.js", SCRIPT, channels_js),
    ASSET("/assets/chart.js", SCRIPT, chart_js),
    ASSET("/assets/columns.js", SCRIPT, columns_js),
    ASSET("/assets/dom.js", SCRIPT, dom_js),
    ASSET("/assets/details.js", SCRIPT, details_js),
    ASSET("/assets/fleet.js", SCRIPT, fleet_js),
    ASSET("/assets/incident.js", SCRIPT, incident_js),
    ASSET("/assets/incidents.js", SCRIPT, incidents_js),
    ASSET("/assets/map.js", SCRIPT, map_js),
    ASSET("/assets/node.js", SCRIPT, node_js),
    ASSET("/assets/stream.js", SCRIPT, stream_js),
    ASSET("/assets/table.js", SCRIPT, table_js),
    ASSET("/assets/header.js", SCRIPT, header_js),
    ASSET("/assets/format.js", SCRIPT, format_js),
    ASSET("/assets/maintenance.js", SCRIPT, maintenance_js),
    ASSET("/assets/status.js", SCRIPT, status_js),
    ASSET("/assets/world.svg", SVG, world_svg),
    ASSET("/openapi.json", JSON, openapi_json),
};

size_t monitor_asset_count(void) { return sizeof assets / sizeof assets[0]; }
monitor_asset monitor_asset_at(size_t index) { return assets[index]; }
