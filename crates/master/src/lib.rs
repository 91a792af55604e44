//! Many computers: the requests, their allocation, and the documents that nodes and people read.
