# SPDX-License-Identifier: GPL-2.0
"""Sphinx: the pages of the documentation. scripts/docs lays out what it reads."""

import os
import re

project = 'wdm-iommu'
author = 'the wdm-iommu developers'
copyright = author  # pylint: disable=redefined-builtin
release = version = os.environ['WDM_VERSION']

extensions = ['myst_parser']
root_doc = 'index'
highlight_language = 'none'
primary_domain = 'c'
html_theme = 'alabaster'
html_theme_options = {
    'description': "Windows' DMA remapping interface for Linux",
    'fixed_sidebar': True,
    'page_width': '70rem',
    'sidebar_width': '15rem',
}
html_show_copyright = False
myst_heading_anchors = 3

GUIDES = {
    'coming-from-vfio': 'coming from VFIO type1 and iommufd',
    'porting-windows-drivers': 'porting the DMA remapping of a Windows driver',
    'user-space-drivers': 'writing a user-space driver',
    'vmm': 'emulating an IOMMU in a VMM',
    'isolation-in-ci': 'proving in CI that a device stays inside its domain',
    'windows-user-space': "running a Windows driver's code in a program",
    'tools': 'the tools of wdm-iommu',
    'debugging': 'tracepoints, counters and logs of wdm_iommu',
    'troubleshooting': 'messages and statuses, their causes and cures',
}

man_pages = [
    ('reference/libwdm_iommu', 'libwdm_iommu', 'user-space library of wdm_iommu', '', 3),
    ('reference/ioctls', 'wdm_iommu_ioctl', 'ioctls of /dev/wdm_iommu', '', 2),
] + [(f'docs/{name}', f'wdm_iommu_{name.replace("-", "_")}', text, '', 7)
     for name, text in GUIDES.items()]
man_show_urls = False


def without_links_to_files(_app, _page, source):
    """Replace links to files of the tree that are not pages by their text."""
    source[0] = re.sub(r'\[([^]]+)\]\((?!http|#|[^)]*\.md[#)])([^)]+)\)', r'\1', source[0])


def setup(app):
    """Called by Sphinx."""
    app.connect('source-read', without_links_to_files)
