/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Provider: VFIO's container.
 */
#ifndef WDM_VFIO_CONTAINER_H
#define WDM_VFIO_CONTAINER_H

int wdm_vfio_init(void);
void wdm_vfio_exit(void);

#endif /* WDM_VFIO_CONTAINER_H */
