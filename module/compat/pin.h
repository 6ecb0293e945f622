/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Long-term pinning of user memory.
 */
#ifndef WDM_COMPAT_PIN_H
#define WDM_COMPAT_PIN_H

#include <linux/hugetlb.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

/* Pin private hugetlb pages, but only those that already belong to the process. */
static inline int wdm_compat_pin_anon(unsigned long start, int nr,
				      unsigned int flags, struct page **pages)
{
	int i;

	nr = pin_user_pages(start, nr, flags, pages, NULL);
	for (i = 0; i < nr; i++) {
		if (!PageAnon(pages[i])) {
			unpin_user_pages(pages, nr);
			return -EOPNOTSUPP;
		}
	}
	return nr;
}

/*
 * Since 6.2, FOLL_LONGTERM gives a process its own pages in private mappings, even if the
 * pin is for reading only. Before that, such a pin may get the zero page or a page of the
 * page cache, which the process no longer uses after its next write. Break COW with a
 * forced write; shared mappings do not need it and do not allow it. Hugetlb does not allow
 * it in read-only mappings.
 */
static inline int wdm_compat_pin_reading(unsigned long start, int nr,
					 unsigned int flags,
					 struct page **pages)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int ret = -EFAULT;

	start = untagged_addr(start);
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, start);
	/* FOLL_FORCE does not check whether the process may read. */
	if (!vma || !(vma->vm_flags & VM_READ))
		goto unlock;
	nr = min_t(unsigned long, nr, (vma->vm_end - start) >> PAGE_SHIFT);
	if (!is_cow_mapping(vma->vm_flags))
		ret = pin_user_pages(start, nr, flags, pages, NULL);
	else if (is_vm_hugetlb_page(vma) && !(vma->vm_flags & VM_WRITE))
		ret = wdm_compat_pin_anon(start, nr, flags, pages);
	else
		ret = pin_user_pages(start, nr,
				     flags | FOLL_WRITE | FOLL_FORCE, pages,
				     NULL);
unlock:
	mmap_read_unlock(mm);
	return ret;
}
#endif

/**
 * wdm_pin_user_pages() - Pin pages of the calling process long-term
 * @start: user address of the first one
 * @nr: number of pages
 * @write: for writing as well
 * @pages: out: the pages
 *
 * Return: number of pages pinned, possibly less than @nr, or a negative errno.
 */
static inline int wdm_pin_user_pages(unsigned long start, int nr, bool write,
				     struct page **pages)
{
	unsigned int flags = FOLL_LONGTERM | (write ? FOLL_WRITE : 0);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	if (!write)
		return wdm_compat_pin_reading(start, nr, flags, pages);
#endif
	return pin_user_pages_fast(start, nr, flags, pages);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)

#define wdm_pin_memfd		memfd_pin_folios
#define wdm_unpin_folio		unpin_folio
#define wdm_unpin_memfd		unpin_folios

#define WDM_CAN_PIN_MEMFD	true

/* Check whether wdm_pin_memfd() supports a file. */
static inline bool wdm_is_memfd(struct file *file)
{
	/* The seals are the inode's, the pinned pages those of f_mapping. */
	if (file->f_mapping != file_inode(file)->i_mapping)
		return false;
	return shmem_file(file) || is_file_hugepages(file);
}

/* Check F_SEAL_FUTURE_WRITE; mapping_map_writable() checks F_SEAL_WRITE only. */
static inline bool wdm_memfd_is_sealed(struct file *file)
{
	struct inode *inode = file_inode(file);
	unsigned int seals;

#ifdef CONFIG_HUGETLBFS
	if (is_file_hugepages(file))
		seals = HUGETLBFS_I(inode)->seals;
	else
#endif
		seals = SHMEM_I(inode)->seals;
	return seals & F_SEAL_FUTURE_WRITE;
}

#else

#define WDM_CAN_PIN_MEMFD	false

static inline bool wdm_is_memfd(struct file *file)
{
	return false;
}

static inline bool wdm_memfd_is_sealed(struct file *file)
{
	return true;
}

static inline long wdm_pin_memfd(struct file *file, loff_t start, loff_t end,
				 struct folio **folios, unsigned int max,
				 pgoff_t *offset)
{
	return -EOPNOTSUPP;
}

static inline void wdm_unpin_folio(struct folio *folio)
{
}

static inline void wdm_unpin_memfd(struct folio **folios, unsigned long nr)
{
}

#endif

#endif /* WDM_COMPAT_PIN_H */
