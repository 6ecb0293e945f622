// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctl on OS-managed domains: a batch of maps and unmaps.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/os/batch.h"
#include "chardev.h"

/**
 * struct wdm_batch_run - a batch in progress
 * @ctx: the file
 * @batch: the core's batch
 * @mdl: the MDL of the last map, with a reference: the next map is likely to use the
 *	same
 */
struct wdm_batch_run {
	struct wdm_context *ctx;
	struct wdm_batch batch;
	struct wdm_object *mdl;
};

static ntstatus_t wdm_batch_get_mdl(struct wdm_batch_run *run, u32 handle)
{
	if (run->mdl && run->mdl->handle == handle)
		return STATUS_SUCCESS;
	wdm_object_put(run->mdl);
	run->mdl = NULL;
	return wdm_object_get(run->ctx, handle, WDM_OBJECT_MDL, &run->mdl);
}

static ntstatus_t wdm_batch_do_map(struct wdm_batch_run *run,
				   const struct wdm_iommu_batch_op *op)
{
	struct wdm_mdl_range range;
	ntstatus_t status;

	status = wdm_batch_get_mdl(run, op->mdl);
	if (!wdm_ok(status))
		return status;
	wdm_mdl_range_init(&range, run->mdl->mdl, op->offset, op->length);
	return wdm_batch_map(&run->batch, op->permissions, &range, op->logical_address);
}

static ntstatus_t wdm_batch_do(struct wdm_batch_run *run,
			       const struct wdm_iommu_batch_op *op)
{
	if (op->reserved)
		return STATUS_INVALID_PARAMETER;
	switch (op->op) {
	case WDM_IOMMU_BATCH_MAP:
		return wdm_batch_do_map(run, op);
	case WDM_IOMMU_BATCH_UNMAP:
		if (op->permissions || op->mdl || op->offset)
			return STATUS_INVALID_PARAMETER;
		if (!PAGE_ALIGNED(op->length))
			return STATUS_INVALID_PARAMETER_3;
		return wdm_batch_unmap(&run->batch, op->logical_address,
				       op->length >> PAGE_SHIFT);
	default:
		return STATUS_INVALID_PARAMETER;
	}
}

/*
 * Get the range of pages that the operations touch, as far as it can be told from @ops.
 * Invalid operations fail in their turn.
 */
static void wdm_batch_span(const struct wdm_iommu_batch_op *ops, u32 nr,
			   u64 *first_pgno, u64 *last_pgno)
{
	u32 i;

	*first_pgno = U64_MAX;
	*last_pgno = 0;
	for (i = 0; i < nr; i++) {
		u64 iova = ops[i].logical_address;
		u64 last_iova = iova + ops[i].length - 1;

		if (!ops[i].length || last_iova < iova)
			continue;
		*first_pgno = min(*first_pgno, iova >> PAGE_SHIFT);
		*last_pgno = max(*last_pgno, last_iova >> PAGE_SHIFT);
	}
}

static ntstatus_t wdm_batch_do_all(struct wdm_command *cmd,
				   struct wdm_domain *domain,
				   const struct wdm_iommu_batch_op *ops)
{
	struct wdm_iommu_batch *arg = cmd->arg;
	struct wdm_batch_run run = { .ctx = cmd->ctx };
	ntstatus_t status;
	u64 first_pgno, last_pgno;

	wdm_batch_span(ops, arg->number, &first_pgno, &last_pgno);
	status = wdm_batch_begin(&run.batch, domain, first_pgno, last_pgno);
	if (!wdm_ok(status))
		return status;
	for (; arg->done < arg->number; arg->done++) {
		status = fatal_signal_pending(current) ? STATUS_CANCELLED :
			 wdm_batch_do(&run, &ops[arg->done]);
		if (!wdm_ok(status))
			break;
		cond_resched();
	}
	wdm_batch_end(&run.batch);
	wdm_object_put(run.mdl);
	return status;
}

static ntstatus_t wdm_batch_copy(struct wdm_command *cmd,
				 struct wdm_domain *domain)
{
	struct wdm_iommu_batch *arg = cmd->arg;
	ntstatus_t status;
	size_t size;
	void *ops;

	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (arg->number > WDM_BATCH_MAX)
		return STATUS_INVALID_PARAMETER_2;
	size = array_size(arg->number, sizeof(struct wdm_iommu_batch_op));
	status = wdm_command_copy_list(cmd, arg->ops, size, &ops);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_do_all(cmd, domain, ops);
	wdm_command_free_list(cmd, ops, size);
	return status;
}

ntstatus_t wdm_cmd_batch(struct wdm_command *cmd)
{
	struct wdm_iommu_batch *arg = cmd->arg;
	struct wdm_domain *domain;
	ntstatus_t status;

	arg->done = 0;
	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (!wdm_ok(status))
		return status;
	return wdm_batch_copy(cmd, domain);
}
