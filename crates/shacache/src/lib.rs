//! Content by hash and directory by key: the cache of downloads and finished builds.
