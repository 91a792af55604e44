//! For tests only: a whole cloud, golden files, and the shape test.
