"""The rows of a source made into products: in this process (`rows`), or in one of its own
(`process`, whose program is `program`). Both do what `outcomes` says."""
