/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports about a domain, for tools and tests.
 */
#ifndef WDM_CORE_QUERY_H
#define WDM_CORE_QUERY_H

#include "domain.h"

struct device;
struct wdm_device;

/**
 * struct wdm_domain_report - the state of a domain
 * @os_managed: the OS owns the page tables
 * @page_granular: every page is mapped separately
 * @configured: caller-managed: the caller has configured it
 * @translating: caller-managed: with TranslationEnabled TRUE
 * @nr_devices: number of attached devices
 * @nr_hwpts: number of hwpts
 * @mapped_pages: mapped pages, or pages of the caller's address space
 * @translated_bytes: bytes that devices can reach
 * @shadow_tables: caller-managed: number of tables that are shadowed
 * @invalid_entries: caller-managed: number of invalid entries
 * @aperture_start: the first address that all IOMMUs translate
 * @aperture_end: the last one
 */
struct wdm_domain_report {
	bool os_managed;
	bool page_granular;
	bool configured;
	bool translating;
	unsigned int nr_devices;
	unsigned int nr_hwpts;
	u64 mapped_pages;
	u64 translated_bytes;
	u64 shadow_tables;
	u64 invalid_entries;
	u64 aperture_start;
	u64 aperture_end;
};

/**
 * struct wdm_device_report - the state of a device
 * @attached: it is attached
 * @revoked: its provider has revoked it
 * @can_report_faults: the IOMMU driver reports faults
 * @reports_faults: fault reporting is enabled
 * @domain: handle of the domain that it is attached to, or 0
 * @group: number of its IOMMU group
 * @types: mask of BIT(type) of domains that it can be attached to now
 * @max_pasids: it supports PASIDs below this number; 0: none
 * @nr_mappings: number of input mappings that it exposes; 0: none
 */
struct wdm_device_report {
	bool attached;
	bool revoked;
	bool can_report_faults;
	bool reports_faults;
	u32 domain;
	u32 group;
	u32 types;
	u32 max_pasids;
	u32 nr_mappings;
};

ntstatus_t wdm_domain_report(struct wdm_domain *domain,
			     struct wdm_domain_report *report);
ntstatus_t wdm_device_report(struct wdm_device *device,
			     struct wdm_device_report *report);
u32 wdm_nr_mappings(struct device *dev);
ntstatus_t wdm_domain_walk(struct wdm_domain *domain, bool caller_space,
			   u64 *start, struct wdm_extent *ext,
			   unsigned int *nr);

#endif /* WDM_CORE_QUERY_H */
