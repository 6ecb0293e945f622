/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that keep a domain and its device busy, while a case does something else to
 * them: one maps and unmaps, or changes tables and flushes, and one has the device do DMA.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <pthread.h>

#include "fixture.h"

/* Pages of the arena that the threads use, from page 0 on; the rest is for the case. */
#define TRAFFIC_PAGES	8

/* Where they are mapped, some of the time */
#define TRAFFIC_ADDRESS	0x6000000ULL

/**
 * struct traffic - threads that use a fixture
 * @fixture: its arena has more than %TRAFFIC_PAGES pages
 * @os_managed: of the fixture's domain
 * @memory: held by whatever changes the arena: a probe looks at all of it
 * @caller: the thread that calls
 * @device: the thread that has the device do DMA
 * @calls: how many calls have succeeded; all of them do
 * @transfers: how many transfers have ended
 * @stop: the threads should end
 * @device_stop: the second one should end
 */
struct traffic {
	struct fixture *fixture;
	bool os_managed;
	pthread_mutex_t memory;
	pthread_t caller;
	pthread_t device;
	unsigned long calls;
	unsigned long transfers;
	bool stop;
	bool device_stop;
};

void traffic_open(struct traffic *traffic, struct fixture *fixture, bool os_managed);
void traffic_start(struct traffic *traffic);
void traffic_start_device(struct traffic *traffic);
void traffic_stop_device(struct traffic *traffic);
void traffic_stop(struct traffic *traffic);
void traffic_check(struct traffic *traffic);

#endif
