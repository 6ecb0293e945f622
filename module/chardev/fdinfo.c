// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/PID/fdinfo of an open /dev/wdm_iommu: the objects of the file, for monitoring.
 *
 * A reference to an object would make a delete of it fail, so the handle table is locked
 * instead, for one line at a time: a delete takes the object's last reference with that
 * lock held. Reading waits for no call, so some numbers may be slightly stale.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#include "../core/device.h"
#include "../core/domain.h"
#include "../core/pasid.h"
#include "fdinfo.h"

static const char * const wdm_type_names[WDM_TYPE_MAX] = {
	[WDM_TYPE_TRANSLATE] = "translate",
	[WDM_TYPE_PASS_THROUGH] = "pass-through",
	[WDM_TYPE_UNMANAGED] = "unmanaged",
	[WDM_TYPE_TRANSLATE_S1] = "translate-s1",
};

static void wdm_fdinfo_device(struct seq_file *m, u32 handle, struct wdm_device *device)
{
	seq_printf(m, "wdm-device:\thandle=%u group=%d domain=%u revoked=%d name=%s\n",
		   handle, iommu_group_id(device->group->iommu_group),
		   READ_ONCE(device->domain), wdm_device_revoked(device),
		   dev_name(device->dev));
}

static void wdm_fdinfo_domain(struct seq_file *m, u32 handle, struct wdm_domain *domain)
{
	struct wdm_counters *counters = &domain->counters;

	seq_printf(m, "wdm-domain:\thandle=%u type=%s granular=%d devices=%d pages=%llu ",
		   handle, wdm_type_names[domain->type],
		   wdm_domain_os_managed(domain) && domain->pgsize == WDM_PGSIZE_MIN,
		   atomic_read(&domain->nr_devices),
		   wdm_mappings_pages(&domain->mappings));
	seq_printf(m, "maps=%lld unmaps=%lld syncs=%lld walks=%lld\n",
		   atomic64_read(&counters->maps), atomic64_read(&counters->unmaps),
		   atomic64_read(&counters->syncs), atomic64_read(&counters->walks));
}

static void wdm_fdinfo_pasid(struct seq_file *m, u32 handle, struct wdm_pasid *pasid)
{
	seq_printf(m, "wdm-pasid:\thandle=%u device=%u asid=%u\n", handle,
		   READ_ONCE(pasid->device->handle), pasid->pasid);
}

/* Find the next object to list from @handle on; return false if there is none. */
static bool wdm_fdinfo_object(struct seq_file *m, struct wdm_context *ctx,
			      unsigned long *handle)
{
	struct wdm_object *object;

	xa_lock(&ctx->objects);
	object = xa_find(&ctx->objects, handle, ULONG_MAX, WDM_OBJECT_LISTED);
	/* Skip objects without references: they are being deleted. */
	if (object && refcount_read(&object->users)) {
		switch (object->type) {
		case WDM_OBJECT_DEVICE:
			wdm_fdinfo_device(m, object->handle, object->device);
			break;
		case WDM_OBJECT_DOMAIN:
			wdm_fdinfo_domain(m, object->handle, object->domain);
			break;
		case WDM_OBJECT_PASID:
			wdm_fdinfo_pasid(m, object->handle, object->pasid);
			break;
		default:
			break;
		}
	}
	xa_unlock(&ctx->objects);
	return object;
}

/**
 * wdm_fdinfo_show() - Print the objects of a file
 * @m: the seq_file
 * @ctx: the file, which is open
 *
 * include/uapi/linux/wdm_iommu.h documents the lines. At most %WDM_FDINFO_MAX objects are
 * listed, so that a program with many of them cannot keep a reader in the kernel.
 *
 * Context: may sleep, but does not wait for calls on the file.
 */
void wdm_fdinfo_show(struct seq_file *m, struct wdm_context *ctx)
{
	unsigned int nr[WDM_OBJECT_TYPES], listed, all;
	unsigned long handle = 0;

	xa_lock(&ctx->objects);
	memcpy(nr, ctx->nr_objects, sizeof(nr));
	xa_unlock(&ctx->objects);
	seq_printf(m, "wdm-file:\t%llu\n", ctx->id);
	seq_printf(m, "wdm-charged:\t%lld\n", atomic64_read(&ctx->budget.used));
	seq_printf(m, "wdm-pinned:\t%lld\n", atomic64_read(&ctx->budget.pinned));
	seq_printf(m, "wdm-faults:\t%lld\n", atomic64_read(&ctx->nr_faults));
	seq_printf(m, "wdm-objects:\tdevices=%u domains=%u mdls=%u tokens=%u pasids=%u\n",
		   nr[WDM_OBJECT_DEVICE], nr[WDM_OBJECT_DOMAIN], nr[WDM_OBJECT_MDL],
		   nr[WDM_OBJECT_TOKEN], nr[WDM_OBJECT_PASID]);
	for (listed = 0; listed < WDM_FDINFO_MAX; listed++, handle++) {
		if (seq_has_overflowed(m) || fatal_signal_pending(current) ||
		    !wdm_fdinfo_object(m, ctx, &handle))
			return;
		cond_resched();
	}
	/* Objects may have been created and deleted since they were counted. */
	all = nr[WDM_OBJECT_DEVICE] + nr[WDM_OBJECT_DOMAIN] + nr[WDM_OBJECT_PASID];
	if (all > listed)
		seq_printf(m, "wdm-more:\t%u\n", all - listed);
}
