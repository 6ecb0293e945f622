/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: the calls, their amount of work, and their duration.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM wdm_iommu

#if !defined(WDM_CORE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define WDM_CORE_TRACE_H

#include <linux/ktime.h>
#include <linux/tracepoint.h>

#include "../status.h"
#include "domain.h"

#ifndef WDM_TRACE_BEGIN
/*
 * The time at which a call began, for the tracepoint at its end. Does not read the clock
 * while the tracepoint is off.
 */
#define WDM_TRACE_BEGIN(event) \
	(trace_ ## event ## _enabled() ? ktime_get_ns() : 0)

/* Nanoseconds since @begin; 0 if the tracepoint was off then */
static inline u64 wdm_trace_ns(u64 begin)
{
	return begin ? ktime_get_ns() - begin : 0;
}

/* The owner of a domain: an open file and a handle, or 0 and 0 for kernel code */
#define WDM_TRACE_DOMAIN						\
	__field(const void *, domain)					\
	__field(u64, file)						\
	__field(u32, handle)

#define WDM_TRACE_ASSIGN_DOMAIN(_domain)				\
	do {								\
		__entry->domain = (_domain);				\
		__entry->file = (_domain)->file;			\
		__entry->handle = (_domain)->handle;			\
	} while (0)
#endif

DECLARE_EVENT_CLASS(wdm_range,
	TP_PROTO(const struct wdm_domain *domain, u64 address, u64 nr_pages,
		 u32 perms, ntstatus_t status, u64 ns),
	TP_ARGS(domain, address, nr_pages, perms, status, ns),
	TP_STRUCT__entry(
		WDM_TRACE_DOMAIN
		__field(u64, address)
		__field(u64, nr_pages)
		__field(u64, ns)
		__field(u32, perms)
		__field(u32, status)
	),
	TP_fast_assign(
		WDM_TRACE_ASSIGN_DOMAIN(domain);
		__entry->address = address;
		__entry->nr_pages = nr_pages;
		__entry->ns = ns;
		__entry->perms = perms;
		__entry->status = (__force u32)status;
	),
	TP_printk("file=%llu handle=%u domain=%p address=%#llx pages=%llu perms=%u status=%#x ns=%llu",
		  __entry->file, __entry->handle, __entry->domain,
		  __entry->address, __entry->nr_pages, __entry->perms,
		  __entry->status, __entry->ns)
);

#define WDM_DEFINE_RANGE_EVENT(name)					\
DEFINE_EVENT(wdm_range, name,						\
	TP_PROTO(const struct wdm_domain *domain, u64 address,		\
		 u64 nr_pages, u32 perms, ntstatus_t status, u64 ns),	\
	TP_ARGS(domain, address, nr_pages, perms, status, ns)		\
)

/* One map, single or in a batch */
WDM_DEFINE_RANGE_EVENT(wdm_map);
/* One unmap, without the sync at the end of its batch */
WDM_DEFINE_RANGE_EVENT(wdm_unmap);
/* The IOTLB sync for the unmaps of a batch, with the range around all of them */
WDM_DEFINE_RANGE_EVENT(wdm_sync);

/* A Configure or a flush of a caller-managed domain */
TRACE_EVENT(wdm_walk,
	TP_PROTO(const struct wdm_domain *domain, u32 addresses, u64 unmapped,
		 u64 mapped, u64 invalid, ntstatus_t status, u64 ns),
	TP_ARGS(domain, addresses, unmapped, mapped, invalid, status, ns),
	TP_STRUCT__entry(
		WDM_TRACE_DOMAIN
		__field(u64, unmapped)
		__field(u64, mapped)
		__field(u64, invalid)
		__field(u64, ns)
		__field(u32, addresses)
		__field(u32, status)
	),
	TP_fast_assign(
		WDM_TRACE_ASSIGN_DOMAIN(domain);
		__entry->addresses = addresses;
		__entry->unmapped = unmapped;
		__entry->mapped = mapped;
		__entry->invalid = invalid;
		__entry->ns = ns;
		__entry->status = (__force u32)status;
	),
	/* addresses=0: all tables */
	TP_printk("file=%llu handle=%u domain=%p addresses=%u unmapped=%llu mapped=%llu invalid=%llu status=%#x ns=%llu",
		  __entry->file, __entry->handle, __entry->domain,
		  __entry->addresses, __entry->unmapped, __entry->mapped,
		  __entry->invalid, __entry->status, __entry->ns)
);

DECLARE_EVENT_CLASS(wdm_group,
	TP_PROTO(const struct wdm_domain *domain, int group, ntstatus_t status,
		 u64 ns),
	TP_ARGS(domain, group, status, ns),
	TP_STRUCT__entry(
		WDM_TRACE_DOMAIN
		__field(u64, ns)
		__field(int, group)
		__field(u32, status)
	),
	TP_fast_assign(
		WDM_TRACE_ASSIGN_DOMAIN(domain);
		__entry->ns = ns;
		__entry->group = group;
		__entry->status = (__force u32)status;
	),
	TP_printk("file=%llu handle=%u domain=%p group=%d status=%#x ns=%llu",
		  __entry->file, __entry->handle, __entry->domain, __entry->group,
		  __entry->status, __entry->ns)
);

#define WDM_DEFINE_GROUP_EVENT(name)					\
DEFINE_EVENT(wdm_group, name,						\
	TP_PROTO(const struct wdm_domain *domain, int group,		\
		 ntstatus_t status, u64 ns),				\
	TP_ARGS(domain, group, status, ns)				\
)

/* A group or a PASID was attached and its hwpt filled, or the attach failed */
WDM_DEFINE_GROUP_EVENT(wdm_attach);
/* A group or a PASID was detached */
WDM_DEFINE_GROUP_EVENT(wdm_detach);

#endif /* WDM_CORE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
