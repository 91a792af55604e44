//! One computer: format it, install software, run instances, supervise, check promises, report.

pub mod promise;
pub mod supervisor;
