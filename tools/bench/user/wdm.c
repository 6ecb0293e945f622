// SPDX-License-Identifier: GPL-2.0
/*
 * This module: MAP of an MDL that is pinned once, MAP_USER, and batches.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static void must(const char *what, __u32 status)
{
	char text[160];

	if (status)
		errx(1, "wdm: %s: %s", what,
		     wdm_status_describe(status, errno, text, sizeof(text)));
}

static const char *wdm_missing(void)
{
	return access(WDM_IOMMU_PATH, R_OK | W_OK) ? "the module is not loaded" : NULL;
}

static void wdm_start(struct session *session)
{
	struct wdm_error error;

	session->fd = wdm_open();
	if (session->fd < 0)
		err(1, "wdm: open");
	session->vfio = wdm_vfio_open(session->fd, options.bdf, &error);
	if (!session->vfio)
		errx(1, "wdm: %s", error.text);
	must("create a domain", wdm_domain_create(session->fd, true, 0, &session->domain));
}

static void wdm_attach_device(struct session *session)
{
	must("attach", wdm_attach(session->fd, session->domain, wdm_vfio_handle(session->vfio)));
}

static void wdm_pin(struct session *session)
{
	if (session->heat == PINNED)
		must("pin", wdm_mdl_create(session->fd, session->memory->start,
					   session->memory->pages * PAGE, WDM_RW,
					   &session->mdl));
}

static void wdm_map_pages(struct session *session, size_t page, size_t pages, __u64 iova)
{
	if (session->heat == COLD)
		must("map user memory",
		     wdm_map_user(session->fd, session->domain, WDM_RW,
				  session->memory->start + page * PAGE, pages * PAGE, iova));
	else
		must("map", wdm_map(session->fd, session->domain, WDM_RW, session->mdl,
				    page * PAGE, pages * PAGE, iova));
}

static void wdm_unmap_pages(struct session *session, __u64 iova, size_t pages)
{
	must("unmap", wdm_unmap(session->fd, session->domain, iova, pages * WDM_PAGE_SIZE));
}

static __u64 wdm_teardown(struct session *session, const struct wdm_bench_page *list,
			  size_t number)
{
	__u64 start = now_ns();

	(void)list;
	(void)number;
	close(session->fd);
	session->fd = -1;
	return now_ns() - start;
}

static void wdm_finish(struct session *session)
{
	if (session->fd >= 0)
		close(session->fd);
	wdm_vfio_close(session->vfio);
}

const struct contender wdm = {
	.name = "wdm",
	.bit = WDM,
	.missing = wdm_missing,
	.start = wdm_start,
	.attach = wdm_attach_device,
	.pin = wdm_pin,
	.map = wdm_map_pages,
	.unmap = wdm_unmap_pages,
	.teardown = wdm_teardown,
	.finish = wdm_finish,
};

/* The largest batch to use. */
#define BATCH_OPS	4096U

static void batch_pin(struct session *session)
{
	wdm_pin(session);
	session->batch = allocate(BATCH_OPS, sizeof(*session->batch));
}

static __u32 batch_size(struct session *session)
{
	struct wdm_iommu_info info;

	must("ask", wdm_info(session->fd, &info));
	return info.max_batch < BATCH_OPS ? info.max_batch : BATCH_OPS;
}

/* Convert the list to operations before the clock starts. */
static __u64 call_batch(struct session *session, __u32 op, const struct wdm_bench_page *list,
			__u32 number, struct wdm_iommu_batch_op *ops)
{
	__u64 start;
	__u32 done;

	for (__u32 i = 0; i < number; i++) {
		bool map = op == WDM_IOMMU_BATCH_MAP;

		ops[i] = (struct wdm_iommu_batch_op) {
			.op = op,
			.permissions = map ? WDM_RW : 0,
			.mdl = map ? session->mdl : 0,
			.offset = map ? list[i].page * PAGE : 0,
			.length = PAGE,
			.logical_address = list[i].iova,
		};
	}
	start = now_ns();
	must("batch", wdm_batch(session->fd, session->domain, ops, number, &done));
	return now_ns() - start;
}

static __u64 batches(struct session *session, __u32 op, const struct wdm_bench_page *list,
		     size_t number)
{
	size_t most = batch_size(session);
	__u64 ns = 0;

	for (size_t i = 0; i < number; i += most)
		ns += call_batch(session, op, list + i, number - i < most ? number - i : most,
				 session->batch);
	return ns;
}

static __u64 batch_map_each(struct session *session, const struct wdm_bench_page *list,
			    size_t number)
{
	return batches(session, WDM_IOMMU_BATCH_MAP, list, number);
}

static __u64 batch_unmap_each(struct session *session, const struct wdm_bench_page *list,
			      size_t number)
{
	return batches(session, WDM_IOMMU_BATCH_UNMAP, list, number);
}

/* Batches of a realistic size, by several threads. */
#define HANDFUL	64U

static __u64 batch_map_unmap(struct session *session, const struct wdm_bench_page *list,
			     size_t number)
{
	struct wdm_iommu_batch_op ops[HANDFUL];
	__u64 ns = 0;

	for (size_t i = 0; i < number; i += HANDFUL) {
		__u32 some = number - i < HANDFUL ? number - i : HANDFUL;

		ns += call_batch(session, WDM_IOMMU_BATCH_MAP, list + i, some, ops);
		ns += call_batch(session, WDM_IOMMU_BATCH_UNMAP, list + i, some, ops);
	}
	return ns;
}

const struct contender wdm_batch_calls = {
	.name = "wdm-batch",
	.bit = WDM_BATCH,
	.missing = wdm_missing,
	.start = wdm_start,
	.attach = wdm_attach_device,
	.pin = batch_pin,
	.map = wdm_map_pages,
	.unmap = wdm_unmap_pages,
	.map_each = batch_map_each,
	.unmap_each = batch_unmap_each,
	.map_unmap = batch_map_unmap,
	.teardown = wdm_teardown,
	.finish = wdm_finish,
};
