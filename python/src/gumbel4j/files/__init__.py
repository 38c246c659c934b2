"""Samples from files of logits into files, of any size: what `gumbel4j sample` and `sample_file` do.

errors    what is raised
boxes     which part of an array is worked on at a time
disk      reading and writing such a part
npy, npz  arrays in files, in and out
partial   the unfinished output, which can be resumed
work      what both have in common: what is asked for and what comes out
arrays    drawing from arrays to arrays
rows      what is wrong with a row
tables    drawing from columns of Arrow and Parquet files to columns
sampling  `sample_file`
"""

from gumbel4j.files.errors import FileError, SampleError
from gumbel4j.files.sampling import sample_file
from gumbel4j.files.work import Drawn, Kind

__all__ = ["Drawn", "FileError", "Kind", "SampleError", "sample_file"]
