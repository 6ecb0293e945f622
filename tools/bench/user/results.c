// SPDX-License-Identifier: GPL-2.0
/*
 * Series of samples, printed as CSV.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MAX_SERIES	512
#define NAME		32

struct series {
	char workload[NAME];
	char variant[NAME];
	char contender[NAME];
	char figure[NAME];
	char unit[NAME];
	double *samples;
	size_t number;
};

static struct series series[MAX_SERIES];
static size_t used;

static struct series *find(const char *workload, const char *variant, const char *contender,
			   const char *figure)
{
	for (size_t i = 0; i < used; i++) {
		struct series *s = &series[i];

		if (!strcmp(s->workload, workload) && !strcmp(s->variant, variant) &&
		    !strcmp(s->contender, contender) && !strcmp(s->figure, figure))
			return s;
	}
	return NULL;
}

static void name(char *to, const char *from)
{
	snprintf(to, NAME, "%s", from);
}

/* Add a sample. */
void record(const char *workload, const char *variant, const char *contender,
	    const char *figure, const char *unit, double value)
{
	struct series *s = find(workload, variant, contender, figure);

	if (!s) {
		if (used == MAX_SERIES)
			abort();
		s = &series[used++];
		name(s->workload, workload);
		name(s->variant, variant);
		name(s->contender, contender);
		name(s->figure, figure);
		name(s->unit, unit);
	}
	s->samples = realloc(s->samples, (s->number + 1) * sizeof(*s->samples));
	if (!s->samples)
		abort();
	s->samples[s->number++] = value;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static double median(const struct series *s)
{
	size_t middle = s->number / 2;

	if (s->number % 2)
		return s->samples[middle];
	return (s->samples[middle - 1] + s->samples[middle]) / 2;
}

/* Print the rows of a workload. */
void results_print(const char *workload)
{
	for (size_t i = 0; i < used; i++) {
		struct series *s = &series[i];

		if (strcmp(s->workload, workload))
			continue;
		qsort(s->samples, s->number, sizeof(*s->samples), compare);
		printf("%s,%s,%s,%s,%s,%s,%.6g,%.6g,%.6g,%zu\n", options.env, s->workload,
		       s->variant, s->contender, s->figure, s->unit, median(s), s->samples[0],
		       s->samples[s->number - 1], s->number);
	}
	fflush(stdout);
}
