// SPDX-License-Identifier: GPL-2.0
#include <time.h>

#include "traffic.h"

static bool is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void count(unsigned long *number)
{
	__atomic_add_fetch(number, 1, __ATOMIC_RELAXED);
}

static bool map_and_unmap(struct fixture *fixture)
{
	return EXPECT(STATUS_SUCCESS, map_pages(fixture, 1, TRAFFIC_PAGES - 1, TRAFFIC_ADDRESS)) &&
	       EXPECT(STATUS_SUCCESS, wdm_unmap(fixture->fd, fixture->domain, TRAFFIC_ADDRESS,
						(TRAFFIC_PAGES - 1) * WDM_PAGE_SIZE));
}

static bool change_and_flush(struct traffic *traffic, unsigned long round)
{
	struct fixture *fixture = traffic->fixture;
	const __u64 list[] = { TRAFFIC_ADDRESS };

	pthread_mutex_lock(&traffic->memory);
	set_leaf(fixture, TRAFFIC_ADDRESS, page(fixture, 1 + round % (TRAFFIC_PAGES - 1)));
	pthread_mutex_unlock(&traffic->memory);
	if (round % 4)
		return EXPECT(STATUS_SUCCESS, wdm_flush_va_list(fixture->fd, fixture->domain, true,
								list, 1, NULL));
	return EXPECT(STATUS_SUCCESS, wdm_flush(fixture->fd, fixture->domain, NULL));
}

/* The calls do not depend on the device, so none may fail, whatever happens to the device. */
static void *call(void *data)
{
	struct traffic *traffic = data;
	bool good = true;

	for (unsigned long round = 0; good && !is_set(&traffic->stop); round++) {
		good = traffic->os_managed ? map_and_unmap(traffic->fixture) :
					     change_and_flush(traffic, round);
		if (good)
			count(&traffic->calls);
	}
	return NULL;
}

static void *transfer(void *data)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct traffic *traffic = data;
	bool good = true;

	while (good && !is_set(&traffic->device_stop)) {
		pthread_mutex_lock(&traffic->memory);
		good = CHECK(wdm_edu_write(traffic->fixture->probe.bar0, TRAFFIC_ADDRESS, 0,
					   PROBE_BYTES));
		pthread_mutex_unlock(&traffic->memory);
		if (good)
			count(&traffic->transfers);
		/* Without a pause, other threads never get the mutex. */
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Open a domain of either kind with a device, which may map the pages of the case. */
void traffic_open(struct traffic *traffic, struct fixture *fixture, bool os_managed)
{
	*traffic = (struct traffic) { .fixture = fixture, .os_managed = os_managed };
	pthread_mutex_init(&traffic->memory, NULL);
	if (os_managed)
		open_os_managed(fixture, TRAFFIC_PAGES + 4, 0);
	else
		open_caller_managed(fixture, TRAFFIC_PAGES + 4, &wdm_format_x64);
}

void traffic_start_device(struct traffic *traffic)
{
	traffic->device_stop = false;
	REQUIRE(!pthread_create(&traffic->device, NULL, transfer, traffic));
}

void traffic_start(struct traffic *traffic)
{
	REQUIRE(!pthread_create(&traffic->caller, NULL, call, traffic));
	traffic_start_device(traffic);
}

/* Stop using the device before it is closed, and its BAR unmapped. */
void traffic_stop_device(struct traffic *traffic)
{
	__atomic_store_n(&traffic->device_stop, true, __ATOMIC_RELEASE);
	pthread_join(traffic->device, NULL);
}

/* Called after traffic_stop_device(). */
void traffic_stop(struct traffic *traffic)
{
	__atomic_store_n(&traffic->stop, true, __ATOMIC_RELEASE);
	pthread_join(traffic->caller, NULL);
	tap_diag("%lu calls, %lu transfers", traffic->calls, traffic->transfers);
	CHECK(traffic->calls && traffic->transfers);
}

/* With the threads running, check that DMA arrives only where something is mapped. */
void traffic_check(struct traffic *traffic)
{
	struct fixture *fixture = traffic->fixture;

	pthread_mutex_lock(&traffic->memory);
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, fixture->arena));
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, ADDRESS, page(fixture, TRAFFIC_PAGES)));
	pthread_mutex_unlock(&traffic->memory);
}
