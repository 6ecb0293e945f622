/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What prevents the use of a machine, or of one of its devices, and cures.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "tap.h"
#include "wdm_iommu_user.h"

enum grade {
	GRADE_OK,
	GRADE_WARN,
	GRADE_FAIL,
};

/**
 * struct verdict - result of a check
 * @grade: severity
 * @what: what was found
 * @cure: what to do; empty: nothing
 */
struct verdict {
	enum grade grade;
	char what[512];
	char cure[512];
};

PRINTF_LIKE(3, 4) void verdict_set(struct verdict *verdict, enum grade grade,
				   const char *format, ...);
PRINTF_LIKE(2, 3) void verdict_cure(struct verdict *verdict, const char *format, ...);

unsigned int host_groups(void);
void host_iommu(struct verdict *verdict);
void host_config(struct verdict *verdict);
void host_module(struct verdict *verdict);
void host_file(struct verdict *verdict);
void host_vfio(struct verdict *verdict);
void host_interrupts(struct verdict *verdict);
void host_memlock(struct verdict *verdict);

bool host_ready(struct verdict *verdict);
void device_verdict(struct verdict *verdict, const char *bdf);
bool device_is_bridge(const char *bdf);

/* pci_names.c */
void pci_vendor_name(unsigned int vendor, char *name, size_t size);
void pci_device_name(unsigned int vendor, unsigned int device, char *name, size_t size);
void pci_class_name(unsigned int class, char *name, size_t size);

#endif
