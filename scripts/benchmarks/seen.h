/* What a load client sees: the lanes of hub.v1, time stamps, cursors, and the sums it reports. */
#ifndef BENCHMARKS_SEEN_H
#define BENCHMARKS_SEEN_H

#define _GNU_SOURCE
#include <stdbool.h>

#include "histogram.h"
#include "wire.h"

enum lane { OVERVIEW, SESSION, ATTENTION, OTHER, LANES };
static const char *const lane_names[] = {"overview", "session", "attention", "other"};

/* What one connection has been shown so far. */
struct board {
    uint64_t newest_ns, heard_ns;
    char cursor[80];
};

static struct {
    uint64_t frames[LANES], wire_bytes, payload_bytes, text_bytes, examined, deflated, gaps;
    double silence_ms;
    struct histogram latency[LANES], freshness;
} seen;

static bool measuring, speaks_hub;
static uint64_t wall_ns; /* when the bytes at hand were received */
static const char *skip; /* a row that holds this is one in full */

/* The text between a name and the next quote, if it is near the beginning. */
static bool quoted(const char *text, size_t length, const char *name, char *into, size_t room) {
    size_t near = length < 400 ? length : 400;
    const char *at = memmem(text, near, name, strlen(name));
    if (at == NULL) return false;
    at += strlen(name);
    const char *end = memchr(at, '"', (size_t)(text + length - at));
    if (end == NULL || (size_t)(end - at) >= room) return false;
    memcpy(into, at, (size_t)(end - at));
    into[end - at] = 0;
    return true;
}

static bool is_type(const char *text, size_t length, const char *type) {
    static const char begin[] = "{\"type\":\"";
    size_t head = sizeof begin - 1, size = strlen(type);
    return length > head + size && memcmp(text, begin, head) == 0 &&
           memcmp(text + head, type, size) == 0 && text[head + size] == '"';
}

/* Whether the row around a stamp is one in full: it came into view, and its stamp may be old. */
static bool in_full_row(const char *text, size_t length, const char *at) {
    static const char row[] = "{\"id\":";
    if (skip == NULL) return false;
    const char *begin = at, *end = text + length;
    while (begin > text && memcmp(begin, row, sizeof row - 1) != 0) begin--;
    const char *next = memmem(at, (size_t)(end - at), row, sizeof row - 1);
    if (next != NULL) end = next;
    return memmem(begin, (size_t)(end - begin), skip, strlen(skip)) != NULL;
}

static void read_stamps(struct board *board, enum lane lane, bool counts, const char *text,
                        size_t length) {
    const char *at = text, *end = text + length;
    while ((at = memmem(at, (size_t)(end - at), STAMP, sizeof STAMP - 1)) != NULL) {
        const char *digit = at + sizeof STAMP - 1;
        uint64_t stamp_ns = 0;
        while (digit < end && *digit >= '0' && *digit <= '9')
            stamp_ns = stamp_ns * 10 + (uint64_t)(*digit++ - '0');
        if (digit == end) break; /* a server that cuts its stream anywhere may cut a number */
        if (lane != ATTENTION && stamp_ns > board->newest_ns) board->newest_ns = stamp_ns;
        if (measuring && counts && !(lane == OVERVIEW && in_full_row(text, length, at))) {
            note(&seen.latency[lane], (double)(int64_t)(wall_ns - stamp_ns) / 1e6);
        }
        at = digit;
    }
}

/* A patch must begin where the last frame of the chain ended. */
static void follow_cursor(struct board *board, bool is_patch, const char *text, size_t length) {
    char from[sizeof board->cursor];
    if (is_patch && board->cursor[0] && quoted(text, length, "\"from\":\"", from, sizeof from) &&
        strcmp(from, board->cursor) != 0 && measuring)
        seen.gaps++;
    quoted(text, length, "\"cursor\":\"", board->cursor, sizeof board->cursor);
}

static void examine(struct board *board, enum lane lane, const char *text, size_t length) {
    bool counts = true;
    if (speaks_hub) {
        bool is_patch = is_type(text, length, "overview.patch");
        if (is_patch || is_type(text, length, "overview.snapshot"))
            follow_cursor(board, is_patch, text, length);
        counts = is_patch || is_type(text, length, "session.patch") ||
                 (lane == ATTENTION &&
                  memmem(text, length < 200 ? length : 200, "\"full\":true", 11) == NULL);
    }
    if (lane != OTHER) read_stamps(board, lane, counts, text, length);
    if (!measuring) return;
    seen.examined++;
    seen.text_bytes += length;
    double silence_ms = (double)(wall_ns - board->heard_ns) / 1e6;
    if (board->heard_ns && silence_ms > seen.silence_ms) seen.silence_ms = silence_ms;
}

static enum lane lane_of(const char *text, size_t length) {
    if (!speaks_hub) return OVERVIEW;
    if (is_type(text, length, "overview.patch") || is_type(text, length, "overview.snapshot"))
        return OVERVIEW;
    if (is_type(text, length, "session.patch") || is_type(text, length, "session.snapshot"))
        return SESSION;
    return is_type(text, length, "attention") ? ATTENTION : OTHER;
}

/* The rest of the object that the caller has begun. */
static void report(double seconds, double server_s, double own_s) {
    uint64_t frames = 0;
    printf(",\"seconds\":%.3f", seconds);
    printf(",\"server_cpu_seconds\":%.3f,\"client_cpu_seconds\":%.3f", server_s, own_s);
    printf(",\"wire_bytes\":%llu,\"payload_bytes\":%llu,\"text_bytes\":%llu,\"examined\":%llu",
           (unsigned long long)seen.wire_bytes, (unsigned long long)seen.payload_bytes,
           (unsigned long long)seen.text_bytes, (unsigned long long)seen.examined);
    printf(",\"deflated\":%llu,\"gaps\":%llu,\"silence_max_ms\":%.1f,\"lanes\":{",
           (unsigned long long)seen.deflated, (unsigned long long)seen.gaps, seen.silence_ms);
    for (int lane = 0; lane < LANES; lane++) {
        frames += seen.frames[lane];
        printf("%s\"%s\":{\"frames\":%llu,", lane ? "," : "", lane_names[lane],
               (unsigned long long)seen.frames[lane]);
        print_histogram(&seen.latency[lane]);
        printf("}");
    }
    printf("},\"freshness\":{");
    print_histogram(&seen.freshness);
    printf("},\"frames\":%llu}\n", (unsigned long long)frames);
    fflush(stdout);
}

#endif
