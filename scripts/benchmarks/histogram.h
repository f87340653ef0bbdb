/* Milliseconds in buckets of a hundredth, up to ten seconds. */
#ifndef BENCHMARKS_HISTOGRAM_H
#define BENCHMARKS_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define BUCKETS_PER_MS 100
#define BUCKETS (10000 * BUCKETS_PER_MS)

struct histogram {
    uint64_t count;
    double max_ms;
    uint32_t buckets[BUCKETS];
};

/* A clock that was set back between two readings counts as no time at all. */
static inline void note(struct histogram *all, double ms) {
    if (ms < 0) ms = 0;
    if (ms > all->max_ms) all->max_ms = ms;
    long bucket = (long)(ms * BUCKETS_PER_MS);
    all->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    all->count++;
}

static inline double percentile_ms(const struct histogram *all, double share) {
    uint64_t passed = 0, wanted = (uint64_t)(share * (double)all->count);
    for (long bucket = 0; bucket < BUCKETS; bucket++) {
        passed += all->buckets[bucket];
        if (passed > wanted || passed == all->count)
            return (double)(bucket + 1) / BUCKETS_PER_MS;
    }
    return all->max_ms;
}

/* The members of a JSON object; null where nothing was seen. */
static inline void print_histogram(const struct histogram *all) {
    if (all->count == 0) {
        printf("\"stamps\":0,\"p50_ms\":null,\"p99_ms\":null,\"max_ms\":null");
        return;
    }
    printf("\"stamps\":%llu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f",
           (unsigned long long)all->count, percentile_ms(all, 0.5), percentile_ms(all, 0.99),
           all->max_ms);
}

#endif
