"""Pictures read, checked, kept and decoded by processes of their own, for one that has the model.

`work` is a `PictureWork`; it hands chunks to `process`es, whose program is `program`. Pixels come
back in a `block` of shared memory without a name, so that no death leaves anything behind.
"""
