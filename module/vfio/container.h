/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VFIO's container door.
 */
#ifndef WDM_VFIO_CONTAINER_H
#define WDM_VFIO_CONTAINER_H

int wdm_vfio_init(void);
void wdm_vfio_exit(void);

#endif /* WDM_VFIO_CONTAINER_H */
