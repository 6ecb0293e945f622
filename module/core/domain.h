/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Domain: a container for one set of page tables (contract: IOMMU_DMA_DOMAIN).
 *
 * Locks, outermost first:
 *
 *	wdm_owner.lock		which groups an owner has
 *	wdm_group.lock		where a group is attached
 *	wdm_domain.ranges	all pages: which hardware domains there are;
 *				a range: what the record and they map there
 *	wdm_shadow.lock		caller-managed: everything of the shadow
 *	wdm_record.lock		the tree of a record
 *	wdm_words.lock		the words of one table (record.c)
 *
 * Outside of all these stand the locks of who calls: wdk_lock (wdk/device.c) and
 * wdm_container.lock (vfio/container.c); VFIO calls its backends with locks of
 * its own held, so VFIO is never called with any of these held. No user pointer
 * is followed with any of them held, and no user page is pinned or unpinned.
 */
#ifndef WDM_CORE_DOMAIN_H
#define WDM_CORE_DOMAIN_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "../status.h"
#include "hw.h"
#include "range_lock.h"
#include "record.h"

struct wdm_device;
struct wdm_group;
struct wdm_shadow;

/* Map every page by itself (WDM_IOMMU_DOMAIN_PAGE_GRANULAR). */
#define WDM_DOMAIN_PAGE_GRANULAR	BIT(0)

/**
 * struct wdm_domain - a domain
 * @hws: the hardware domains
 * @groups: the groups that are attached
 * @nr_devices: the devices that are attached
 * @granule: OS-managed: which pages of the IOMMU to use
 * @ranges: pages that calls are changing; no page, where a call only keeps @hws and
 *	@groups, which who holds all pages guards, from changing
 * @record: OS-managed: what is mapped, by logical page; caller-managed: the
 *	caller's address space
 * @shadow: caller-managed: what the caller's page tables translate; NULL for an
 *	OS-managed domain
 * @rcu: for freeing it
 */
struct wdm_domain {
	struct list_head hws;
	struct list_head groups;
	atomic_t nr_devices;
	enum wdm_granule granule;
	struct wdm_range_lock ranges;
	struct wdm_record record;
	struct wdm_shadow *shadow;
	struct rcu_head rcu;
};

static inline bool wdm_domain_os_managed(const struct wdm_domain *domain)
{
	return !domain->shadow;
}

/* Would that many pages from @address on go over the top of 64 bits? */
static inline bool wdm_pages_wrap(u64 address, u64 nr_pages)
{
	return nr_pages > BIT_ULL(64 - PAGE_SHIFT) - (address >> PAGE_SHIFT);
}

/* domain.c: life, and what both kinds share */
ntstatus_t wdm_domain_create(bool os_managed, u32 flags,
			     struct wdm_domain **out);
ntstatus_t wdm_domain_delete(struct wdm_domain *domain);

bool wdm_domain_fits(const struct wdm_domain *domain, u64 first, u64 last);
ntstatus_t wdm_domain_hw_map(struct wdm_domain *domain, u64 iova,
			     const struct wdm_pages *pages, u64 page,
			     u64 nr_pages, u32 perms, enum wdm_granule granule);
void wdm_domain_hw_unmap(struct wdm_domain *domain, u64 iova, u64 size);
bool wdm_domain_stuck(const struct wdm_domain *domain);
ntstatus_t wdm_domain_hw_fill(struct wdm_domain *domain, struct wdm_hw *hw,
			      enum wdm_granule granule);
void wdm_domain_hw_clear(struct wdm_domain *domain, struct wdm_hw *hw,
			 u64 last);

/* attach.c: hardware domains come and go */
bool wdm_domain_uses(struct wdm_domain *domain, u64 first, u64 last);
ntstatus_t wdm_domain_attach(struct wdm_domain *domain, struct wdm_group *group,
			     struct device *dev);
void wdm_domain_detach(struct wdm_domain *domain, struct wdm_group *group);
ntstatus_t wdm_domain_adopt(struct wdm_domain *domain,
			    struct iommu_domain *hw_domain);
void wdm_domain_disown(struct wdm_domain *domain,
		       struct iommu_domain *hw_domain);

/* batch.c and identity.c: OS-managed domains */
ntstatus_t wdm_domain_map(struct wdm_domain *domain, u32 perms,
			  struct wdm_mdl *mdl, u64 mdl_page, u64 nr_pages,
			  u64 logical);
ntstatus_t wdm_domain_unmap(struct wdm_domain *domain, u64 logical,
			    u64 nr_pages);
ntstatus_t wdm_domain_map_identity(struct wdm_domain *domain, u32 perms,
				   struct wdm_mdl *mdl, u64 mdl_page,
				   u64 nr_pages);
ntstatus_t wdm_domain_unmap_identity(struct wdm_domain *domain,
				     struct wdm_mdl *mdl, u64 mdl_page,
				     u64 nr_pages);

/* query.c: reports */
struct wdm_domain_report {
	bool os_managed;
	bool page_granular;
	bool configured;
	bool translating;
	unsigned int nr_devices;
	unsigned int nr_hws;
	u64 mapped_pages;
	u64 translated_bytes;
	u64 shadow_tables;
	u64 refused_entries;
	u64 aperture_start;
	u64 aperture_end;
};

ntstatus_t wdm_domain_report(struct wdm_domain *domain,
			     struct wdm_domain_report *report);
ntstatus_t wdm_domain_walk(struct wdm_domain *domain, bool caller_space,
			   u64 *start, struct wdm_extent *ext,
			   unsigned int *nr);

#endif /* WDM_CORE_DOMAIN_H */
