/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that keep a domain and its device busy while a case does something else to them:
 * one maps and unmaps, or changes tables and flushes, and one makes the device do DMA.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <pthread.h>

#include "fixture.h"

/* Number of pages of the arena, from page 0 on, that the threads use; the case uses the rest. */
#define TRAFFIC_PAGES	8

/* Address at which they are mapped part of the time */
#define TRAFFIC_ADDRESS	0x6000000ULL

/**
 * struct traffic - threads that use a fixture
 * @fixture: its arena has more than %TRAFFIC_PAGES pages
 * @os_managed: kind of the fixture's domain
 * @memory: protects the arena's contents: a probe examines all of it
 * @caller: the thread that makes calls
 * @device: the thread that makes the device do DMA
 * @calls: number of calls that have succeeded; all of them do
 * @transfers: number of transfers that have ended
 * @stop: the threads should end
 * @device_stop: @device should end
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
