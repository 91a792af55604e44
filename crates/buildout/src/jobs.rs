//! How much of the machine a build uses: one token for each program that works at a time, shared with every make that
//! parts start.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use host::jobs::JobServer;
use host::process::Program;

/// The variable through which makes find the server.
const VARIABLE: &str = "MAKEFLAGS";

/// The jobs of one build.
#[derive(Default)]
pub(crate) struct Jobs {
    limit: usize,
    /// None when somebody above this build serves already, or the kernel gives no pipe.
    server: OnceLock<Option<Arc<JobServer>>>,
    /// What `MAKEFLAGS` says in the environment of the build.
    inherited: String,
    /// How many parts hold a token or wait for one.
    engaged: Mutex<usize>,
}

/// A part that runs programs; it ends with this object, and with it the token that it may hold.
pub(crate) struct Token<'a> {
    jobs: &'a Jobs,
    is_held: bool,
}

impl Jobs {
    pub(crate) fn new(limit: usize, environment: &BTreeMap<String, String>) -> Self {
        let inherited = environment.get(VARIABLE).cloned().unwrap_or_default();
        Self { limit, inherited, ..Self::default() }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Waits until one more program may run.
    pub(crate) fn token(&self) -> Token<'_> {
        let mut token = self.without_token();
        if let Some(server) = self.server() {
            match server.take() {
                Ok(()) => token.is_held = true,
                Err(error) => tracing::warn!(%error, "the job server does not answer"),
            }
        }
        token
    }

    /// Notes that programs may run which take tokens by themselves, without waiting for one: who goes through this does
    /// not keep a processor busy for long, or cannot wait.
    pub(crate) fn without_token(&self) -> Token<'_> {
        *self.engaged.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Token { jobs: self, is_held: false }
    }

    /// Lets a program take further jobs, unless the profile says how many it has.
    pub(crate) fn lend(&self, program: Program) -> Program {
        let own =
            program.variable(VARIABLE).map(|own| own.to_string_lossy().into_owned()).unwrap_or_default();
        match self.server() {
            Some(server) if own == self.inherited || own.is_empty() || server.is_named_in(&own) => {
                program.jobs(server, &own)
            }
            _ => program,
        }
    }

    fn server(&self) -> Option<&Arc<JobServer>> {
        let made = self.server.get_or_init(|| {
            // A named pipe reaches the children by itself; descriptors of others do not.
            if self.inherited.contains("--jobserver-auth=fifo:") {
                return None;
            }
            JobServer::new(self.limit)
                .map(Arc::new)
                .inspect_err(|error| {
                    tracing::warn!(%error, "parts are built without a job server");
                })
                .ok()
        });
        made.as_ref()
    }
}

impl Drop for Token<'_> {
    fn drop(&mut self) {
        let mut engaged = self.jobs.engaged.lock().unwrap_or_else(PoisonError::into_inner);
        *engaged -= 1;
        let Some(server) = self.jobs.server() else { return };
        let back = if self.is_held { server.give_back() } else { Ok(()) };
        let done = back.and_then(|()| if *engaged == 0 { server.settle() } else { Ok(()) });
        if let Err(error) = done {
            tracing::warn!(%error, "the job server does not take a job back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_program_had_taken_comes_back_when_nothing_runs() {
        let jobs = Jobs::new(3, &BTreeMap::new());
        let server = Arc::clone(jobs.server().unwrap());
        let token = jobs.token();
        let other = jobs.token();
        assert!(server.try_take().unwrap(), "a make takes a job and is killed");

        drop(token);
        assert_eq!(server.available().unwrap(), 1);
        drop(other);

        assert_eq!(server.available().unwrap(), 3);
    }

    #[test]
    fn a_number_of_jobs_that_the_profile_gives_is_left_alone() {
        let environment = BTreeMap::from([(VARIABLE.to_owned(), "-k".to_owned())]);
        let jobs = Jobs::new(2, &environment);
        let flags = |flags: &str| {
            let program = jobs.lend(Program::new("/bin/make").env(VARIABLE, flags));
            program.variable(VARIABLE).unwrap().to_string_lossy().into_owned()
        };

        assert_eq!(flags("-j7"), "-j7");
        assert!(flags("-k").starts_with("-k -j2 --jobserver-fds="));
    }

    #[test]
    fn the_server_of_who_started_the_build_is_used() {
        let inherited = "-j4 --jobserver-auth=fifo:/tmp/server";
        let jobs = Jobs::new(2, &BTreeMap::from([(VARIABLE.to_owned(), inherited.to_owned())]));

        let program = jobs.lend(Program::new("/bin/make").env(VARIABLE, inherited));

        assert_eq!(program.variable(VARIABLE).unwrap(), inherited);
    }
}
