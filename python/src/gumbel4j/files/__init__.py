"""Samples from files of logits into files, of any size: what `gumbel4j sample` and `sample_file` do.

sampling        `sample_file`
sampler         what the next two have in common: what is asked of them and what comes out
array_sampler   from arrays to arrays, with
  npy, npz      arrays in files
  grid          which part of an array is worked on at a time: boxes
  box_io        reading and writing a box
  row_checks    what is wrong with a row or its temperature
table_sampler   from columns of Arrow and Parquet files to columns
partial_output  the unfinished output, which can be resumed
errors          what is raised
"""

from gumbel4j.files.errors import FileError, SampleError
from gumbel4j.files.sampler import Drawn, Kind
from gumbel4j.files.sampling import sample_file

__all__ = ["Drawn", "FileError", "Kind", "SampleError", "sample_file"]
