//! `slapos down`: stops what `slapos up` started, and removes it if asked to.

use std::time::Duration;

use host::clock::Clock;
use host::process::Program;
use host::users::{Account, is_root};
use serde_json::json;

use crate::cloud::account::Removal;
use crate::cloud::daemon::{Held, hold, holder};
use crate::cloud::{Cloud, account, stop};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// How long an attached `up` may take to let go of the cloud.
const PATIENCE: Duration = Duration::from_secs(120);

/// Stop what `slapos up` started
#[derive(Debug, clap::Args)]
pub(crate) struct Down {
    /// Remove its directory too, with all data, and the system user if `up` made it
    #[arg(long)]
    destroy: bool,
    /// Directory of the cloud
    #[arg(long, value_name = "DIR")]
    root: Option<String>,
}

impl Subcommand for Down {
    const NAME: &'static str = "down";
    const GROUP: Group = Group::FirstHour;
    const HABIT: Habit = Habit::Quiet;
    const EXAMPLES: &'static [Example] = &[
        ("slapos down", "stop everything; slapos up goes on from there"),
        ("slapos down --destroy", "stop everything and remove it"),
    ];
    const EXIT_CODES: &'static [(u8, &'static str)] = &[(10, "another slapos does not let go of it")];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let cloud = Cloud::chosen(context.environment, self.root.as_deref())?;
        if !cloud.exists() && (!self.destroy || !is_cloud_like(&cloud)) {
            context.output.done(&format!("There is no cloud in {}.", cloud.root()));
            if context.output.is_json() {
                context.output.json(&json!({ "stopped": [], "removed": serde_json::Value::Null }));
            }
            return Ok(0);
        }
        if is_root() {
            return self.as_root(context, &cloud);
        }
        let held = take(context, &cloud)?;
        let stopped = stop::stop(context, &cloud)?;
        if self.destroy {
            remove(&cloud)?;
        }
        drop(held);
        self.show(context, &cloud, &stopped);
        Ok(0)
    }
}

impl Down {
    /// What belongs to the cloud's user is stopped and removed by that user; root removes only what is its own.
    fn as_root(&self, context: &Context<'_>, cloud: &Cloud) -> Result<u8, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(Kind::Failed, format!("cannot stop the cloud in {}", cloud.root()))
                .because_of(&error)
        };
        let owner = Account::owner_of(cloud.root()).map_err(failed)?;
        if owner.uid == 0 {
            return Err(Failure::new(Kind::Failed, format!("{} belongs to root", cloud.root()))
                .because("no cloud of `slapos up` does")
                .hint("look at what it is before you remove it")
                .code("E-directory-owner"));
        }
        // The kernel's own link to this program works where its path is closed to the user.
        let mut child = Program::new("/proc/self/exe")
            .args(["down", "--root", cloud.root().as_str()])
            .directory("/")
            .account(owner)
            .envs(context.environment.variables.iter().cloned());
        if self.destroy {
            child = child.arg("--destroy");
        }
        if context.output.is_json() {
            child = child.arg("--json");
        }
        if context.output.quiet {
            child = child.arg("--quiet");
        }
        let status = child.run_attached().map_err(failed)?;
        if !status.success() {
            return Ok(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1));
        }
        if self.destroy {
            host::files::remove_tree(cloud.root()).map_err(failed)?;
            if cloud.root() == account::HOME {
                match account::remove_if_made(context.environment) {
                    Removal::Removed => {
                        context.output.done("Removed the system user `slapos`, which slapos up had made.");
                    }
                    Removal::NotOurs => {}
                    Removal::StillUsed(because) => {
                        context.output.say(&format!("The system user `slapos` stays: {because}"));
                    }
                }
            }
        }
        Ok(0)
    }

    fn show(&self, context: &Context<'_>, cloud: &Cloud, stopped: &[String]) {
        if context.output.is_json() {
            let removed = self.destroy.then(|| cloud.root());
            context.output.json(&json!({ "stopped": stopped, "removed": removed }));
            return;
        }
        let what = if stopped.is_empty() {
            "Nothing ran".to_owned()
        } else {
            format!("Stopped {}", stopped.join(", "))
        };
        if self.destroy {
            context.output.done(&format!("{what}; removed {}.", cloud.root()));
        } else {
            context
                .output
                .done(&format!("{what}; everything is kept in {}, slapos up goes on with it.", cloud.root()));
        }
    }
}

/// Whether a directory without configuration is nevertheless what an interrupted `up` or `down --destroy` left.
fn is_cloud_like(cloud: &Cloud) -> bool {
    cloud.lock("up").exists()
}

/// Takes the cloud; an attached `up` is asked to end first.
fn take(context: &Context<'_>, cloud: &Cloud) -> Result<Held, Failure> {
    let path = cloud.lock("up");
    let failed = |error: std::io::Error| {
        Failure::new(Kind::Failed, format!("cannot lock the cloud in {}", cloud.root())).because_of(&error)
    };
    let deadline = context.clock.now() + PATIENCE;
    let mut asked = None;
    loop {
        if let Some(held) = hold(&path, "slapos down", &context.clock).map_err(failed)? {
            return Ok(held);
        }
        if let Some(holder) = holder(&path).map_err(failed)?
            && asked != Some(holder.pid)
        {
            host::process::ask_to_end(holder.pid);
            asked = Some(holder.pid);
        }
        if context.clock.now() > deadline {
            return Err(Failure::new(
                Kind::Locked,
                format!("another slapos works on the cloud in {}", cloud.root()),
            )
            .because(format!("pid {} does not end", asked.unwrap_or(0)))
            .hint("look at it with ps, then try again")
            .code("E-lock-held"));
        }
        context.clock.sleep(Duration::from_millis(50));
    }
}

/// Removes everything in the directory, and the directory itself where its parent allows.
fn remove(cloud: &Cloud) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Kind::Failed, format!("cannot remove {}", cloud.root()))
            .because_of(&error)
            .hint("everything is stopped; remove the directory yourself, or try again")
            .code("E-directory-unwritable")
    };
    // The lock goes last, so that an interrupted removal is recognised and can be gone on with.
    for entry in cloud.root().read_dir_utf8().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name() != "var" {
            host::files::remove_tree(entry.path()).map_err(failed)?;
        }
    }
    host::files::remove_tree(&cloud.root().join("var")).map_err(failed)?;
    // Root removes what is left of it: only root may change the directory above.
    let _ = fs_err::remove_dir(cloud.root());
    Ok(())
}
