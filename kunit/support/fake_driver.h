/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An IOMMU driver without hardware, and platform devices behind it: real IOMMU groups with
 * PASIDs, whose iommu_domains are fakes (fake_iommu.h). It records which iommu_domain
 * translates for each device and PASID.
 */
#ifndef WDM_KUNIT_FAKE_DRIVER_H
#define WDM_KUNIT_FAKE_DRIVER_H

#include <kunit/test.h>
#include <linux/iommu.h>

#include "fake_iommu.h"

/* Number of PASIDs of a device, including 0 */
#define FAKE_DRIVER_PASIDS	8

/**
 * struct fake_driver - behaviour of the driver, for one test
 * @shared: new devices share one IOMMU group
 * @pasid_bits: new devices with PASIDs have 1 << @pasid_bits; 0: FAKE_DRIVER_PASIDS
 * @direct: the firmware requires a direct mapping of new devices
 * @incoherent: DMA of the devices is not coherent
 * @cannot_snoop: the IOMMU cannot enforce cache coherency
 * @refuse_pasids: iommu_domains cannot be attached to PASIDs
 * @fail_attach: make the attach after this many fail with -ENOMEM; 0: none
 * @hook: called by each attach to a device or a PASID, before it
 * @on_free: called before a paging iommu_domain is freed
 * @narrow: a device behind a less capable IOMMU: attaching it to an iommu_domain lowers the
 *	last address of that to @narrow_last, and leaves of its page sizes only
 *	@narrow_pgsizes
 * @narrow_last: see @narrow
 * @narrow_pgsizes: see @narrow
 * @nr_domains: number of paging iommu_domains
 * @nr_allocs: number of paging iommu_domains that have been allocated
 * @nr_pasid_domains: number of those that were allocated for PASIDs
 */
struct fake_driver {
	bool shared;
	unsigned int pasid_bits;
	bool direct;
	bool incoherent;
	bool cannot_snoop;
	bool refuse_pasids;
	unsigned int fail_attach;
	void (*hook)(struct device *dev, u32 pasid);
	void (*on_free)(void);
	struct device *narrow;
	u64 narrow_last;
	unsigned long narrow_pgsizes;
	atomic_t nr_domains;
	atomic_t nr_allocs;
	atomic_t nr_pasid_domains;
};

extern struct fake_driver fake_driver;

void fake_driver_start(struct kunit *test);
void fake_driver_stop(struct kunit *test);

/* Create a device; @pasids: it has FAKE_DRIVER_PASIDS. */
struct device *fake_driver_add(struct kunit *test, bool pasids);
/* Remove it; the test keeps its reference. */
void fake_driver_remove(struct device *dev);

/*
 * Get the paging iommu_domain that translates for a device's PASID, or without one (0); NULL
 * if DMA is blocked or not translated.
 */
struct fake_iommu *fake_driver_at(struct device *dev, u32 pasid);
/* Check whether the device's DMA is neither blocked nor translated. */
bool fake_driver_identity(struct device *dev);
/* Translate the device's DMA to @iova with the PASID (0: without one); 0: blocked */
phys_addr_t fake_driver_translate(struct device *dev, u32 pasid, u64 iova);
/* Check whether all of its DMA with a PASID, or without one (0), snoops the caches. */
bool fake_driver_snoops(struct device *dev, u32 pasid);

#endif /* WDM_KUNIT_FAKE_DRIVER_H */
